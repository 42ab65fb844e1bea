package iamkeys

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"

	"sekisho/auth/purge"
	"sekisho/infra/awscall"
)

func stsCall(c aws.Config) awscall.Call {
	return awscall.Call{Config: c, Service: "sts", ServiceID: "STS", ContentType: awscall.Form}
}

func configCall(c aws.Config) awscall.Call {
	return awscall.Call{Config: c, Service: "config", ServiceID: "Config Service", ContentType: awscall.JSON, Target: "StarlingDoveService.ListDiscoveredResources"}
}

// WhoAmI says whom the bot's own credentials belong to. For a role the user id
// is that of its session, AROA…:name
// (https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html).
// Half an answer is an error: the bot's own key is spared by it.
func (i *IAM) WhoAmI(ctx context.Context) (purge.Self, error) {
	const action = "sts:GetCallerIdentity"
	text, err := i.sts.Send(ctx, i.sts.Config.Region, "Action=GetCallerIdentity&Version=2011-06-15")
	if err != nil {
		return purge.Self{}, translate(action, err)
	}
	var answer struct {
		Account string `xml:"GetCallerIdentityResult>Account"`
		UserID  string `xml:"GetCallerIdentityResult>UserId"`
	}
	if err := xml.Unmarshal(text, &answer); err != nil {
		return purge.Self{}, fmt.Errorf("%s: the answer cannot be read: %w", action, err)
	}
	signed, err := i.sts.Config.Credentials.Retrieve(ctx)
	if err != nil {
		return purge.Self{}, fmt.Errorf("reading the bot's own AWS credentials: %w", err)
	}
	s := purge.Self{Account: answer.Account, UserID: answer.UserID, KeyID: signed.AccessKeyID}
	if s.Account == "" || s.UserID == "" || s.KeyID == "" {
		return purge.Self{}, errors.New(action + ": the answer does not say who the bot is")
	}
	return s, nil
}

// Named keeps the promise of purge.Finder. An empty region is the configured
// one. It asks for what Config has discovered, which is more than it records:
// https://docs.aws.amazon.com/config/latest/APIReference/API_ListDiscoveredResources.html
func (i *IAM) Named(ctx context.Context, region, id string) (string, error) {
	const action = "config:ListDiscoveredResources"
	if region == "" {
		region = i.config.Config.Region
	}
	body, err := json.Marshal(map[string]any{"resourceType": "AWS::IAM::User", "resourceIds": []string{id}})
	if err != nil {
		return "", err
	}
	text, err := i.config.Send(ctx, region, string(body))
	if err != nil {
		return "", translate(action, err)
	}
	var answer struct {
		Resources []struct {
			ID   string `json:"resourceId"`
			Name string `json:"resourceName"`
		} `json:"resourceIdentifiers"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return "", fmt.Errorf("%s: the answer cannot be read: %w", action, err)
	}
	for _, r := range answer.Resources {
		if r.ID == id {
			return r.Name, nil
		}
	}
	return "", nil
}
