package awssim

import (
	"bytes"
	"cmp"
	"maps"
	"net/mail"
	"path"
	"strings"
)

// What each call needs: the action, and the resource that IAM asks the policies about, after the Service Authorization
// Reference's table of the service. Where it names no type of resource, only a policy for * gives the right.
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html

// ec2Needs: all of the instances that a call changes must be allowed. RunInstances would need images, networks and more
// beside instances; here it is for callers who may do everything. The caller holds mu.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
func (c *Cloud) ec2Needs(action string, f form) []need {
	var ids []string
	more := facts{}
	switch action {
	case "StartInstances", "StopInstances", "TerminateInstances":
		ids = f.list("InstanceId")
	case "CreateTags", "DeleteTags":
		ids = f.list("ResourceId")
		for _, prefix := range f.members("Tag") {
			key := f.get(prefix + ".Key")
			more.add(tagKeys, key)
			if value, given := f.lookup(prefix + ".Value"); given {
				more.add("aws:RequestTag/"+key, value)
			}
		}
	case "ModifyInstanceAttribute":
		ids = []string{f.get("InstanceId")}
		name, value := attributeSet(f)
		more.add("ec2:Attribute", name)
		more.add("ec2:Attribute/"+name, value)
	default:
		return []need{{action: "ec2:" + action, resource: "*"}}
	}
	var needs []need
	for _, id := range ids {
		known := facts{}
		if m := c.find(id); m != nil {
			known = tagFacts(m.Tags, "aws:ResourceTag/", "ec2:ResourceTag/")
		}
		maps.Copy(known, more)
		resource := "arn:aws:ec2:" + c.opts.Region + ":" + c.opts.Account + ":instance/" + id
		needs = append(needs, need{action: "ec2:" + action, resource: resource, facts: known})
	}
	return needs
}

// attributeSet is the value of ec2:Attribute, which is the parameter's name (inferred), "DisableApiStop", and what it is set to.
func attributeSet(f form) (name, value string) {
	for parameter := range f.values {
		if name, isOne := strings.CutSuffix(parameter, ".Value"); isOne {
			return name, f.get(parameter)
		}
	}
	if name = f.get("Attribute"); name != "" { // "disableApiStop"
		name = strings.ToUpper(name[:1]) + name[1:]
	}
	return name, f.get("Value")
}

func tagFacts(tags map[string]string, families ...string) facts {
	known := facts{}
	for key, value := range tags {
		for _, family := range families {
			known.add(family+key, value)
		}
	}
	return known
}

// iamNeed: of a key it is the owner that counts, although GetAccessKeyLastUsed doesn't name it.
// The caller holds mu.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
func (c *Cloud) iamNeed(action string, f form) need {
	n := need{action: "iam:" + action, resource: "*"}
	users := "arn:aws:iam::" + c.opts.Account + ":user/"
	var owner *keyholder
	switch action {
	case "GenerateCredentialReport", "GetCredentialReport":
	case "ListUsers":
		n.shown = users
	case "SimulatePrincipalPolicy":
		n.resource = f.get("PolicySourceArn")
	case "GetAccessKeyLastUsed":
		n.shown = "access key " + f.get("AccessKeyId")
		owner = c.iam.byKey[f.get("AccessKeyId")]
	default:
		name, given := f.lookup("UserName")
		if !given {
			name, _ = f.by.user()
		}
		n.resource, n.shown = users+name, "user "+name
		owner = c.iam.byName[strings.ToLower(name)]
	}
	if owner != nil {
		n.resource, n.facts = owner.arn(c.opts.Account), tagFacts(owner.Tags, "aws:ResourceTag/", "iam:ResourceTag/")
	}
	return n
}

// sqsNeed: the right to one message is that to a batch of them.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html
func (c *Cloud) sqsNeed(action string, in sqsRequest) need {
	name := cmp.Or(in.QueueName, path.Base(in.QueueUrl))
	return need{action: "sqs:" + strings.TrimSuffix(action, "Batch"), resource: c.queueARN(name)}
}

// sesNeeds: raw mail needs ses:SendRawEmail too, as SES's refusals show (inferred: no page of AWS says so), and a
// configuration set is a resource beside the sender. The caller holds mu.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsimpleemailservicev2.html
func (c *Cloud) sesNeeds(in sesRequest) []need {
	from := in.from()
	resources := []string{c.identityARN(c.post.sendsAs(from))}
	if set := in.ConfigurationSetName; set != "" {
		resources = append(resources, "arn:aws:ses:"+c.opts.Region+":"+c.opts.Account+":configuration-set/"+set)
	}
	known := facts{}
	known.add("ses:FromAddress", from)
	var needs []need
	for _, action := range []string{"ses:SendRawEmail", "ses:SendEmail"} {
		for _, resource := range resources {
			needs = append(needs, need{action: action, resource: resource, facts: known})
		}
	}
	return needs
}

// sesLookNeed is of what SES tells.
func (c *Cloud) sesLookNeed(action, identity string) need {
	n := need{action: "ses:" + action, resource: "*"}
	if identity != "" {
		n.resource = c.identityARN(identity)
	}
	return n
}

// configNeed: Config's rules are resources too, but here they are only asked for all at once.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsconfig.html
func configNeed(action string) need { return need{action: "config:" + action, resource: "*"} }

// ruleNeed is of one rule, or of the list of them.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html
func (c *Cloud) ruleNeed(action string, in named) need {
	n := need{action: "events:" + action, resource: "*"}
	if name := cmp.Or(in.Rule, in.Name); name != "" {
		n.resource = c.ruleARN(name)
	}
	return n
}

// secretNeed: a refusal names the secret as the caller did.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
func (c *Cloud) secretNeed(action string, in named) need {
	n := need{action: "secretsmanager:" + action, resource: in.SecretId, shown: in.SecretId}
	if s := c.vault.secret(in.SecretId); s != nil {
		n.resource = s.arn
	}
	return n
}

// parameterNeed: a SecureString under AWS's own key needs no right to the key.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html
func (c *Cloud) parameterNeed(action string, in named) need {
	n := need{action: "ssm:" + action, resource: c.parameterARN(in.Name)}
	if strings.HasPrefix(in.Name, "arn:") {
		n.resource = in.Name
	}
	return n
}

// from is the bare address that a mail is from, or what stands in its place.
func (in sesRequest) from() string {
	text := in.FromEmailAddress
	if raw := in.Content.Raw; text == "" && raw != nil {
		if m, err := mail.ReadMessage(bytes.NewReader(raw.Data)); err == nil {
			text = m.Header.Get("From")
		}
	}
	if senders, err := mail.ParseAddressList(text); err == nil {
		return senders[0].Address
	}
	return text
}
