package iamkeys

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"sekisho/auth/purge"
)

type stsAPI interface {
	GetCallerIdentity(context.Context, *sts.GetCallerIdentityInput, ...func(*sts.Options)) (*sts.GetCallerIdentityOutput, error)
}

type configAPI interface {
	ListDiscoveredResources(context.Context, *configservice.ListDiscoveredResourcesInput, ...func(*configservice.Options)) (*configservice.ListDiscoveredResourcesOutput, error)
}

// WhoAmI says whom the bot's own credentials belong to. For a role the user id
// is that of its session, AROA…:name
// (https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html).
// Half an answer is an error: the bot's own key is spared by it.
func (i *IAM) WhoAmI(ctx context.Context) (purge.Self, error) {
	out, err := i.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return purge.Self{}, translate("sts:GetCallerIdentity", err)
	}
	signed, err := i.signer.Retrieve(ctx)
	if err != nil {
		return purge.Self{}, fmt.Errorf("reading the bot's own AWS credentials: %w", err)
	}
	s := purge.Self{Account: aws.ToString(out.Account), UserID: aws.ToString(out.UserId), KeyID: signed.AccessKeyID}
	if s.Account == "" || s.UserID == "" || s.KeyID == "" {
		return purge.Self{}, errors.New("sts:GetCallerIdentity: the answer does not say who the bot is")
	}
	return s, nil
}

// Named keeps the promise of purge.Finder. An empty region is the configured one.
func (i *IAM) Named(ctx context.Context, region, id string) (string, error) {
	in := &configservice.ListDiscoveredResourcesInput{ResourceType: types.ResourceTypeUser, ResourceIds: []string{id}}
	out, err := i.config.ListDiscoveredResources(ctx, in, func(o *configservice.Options) {
		if region != "" {
			o.Region = region
		}
	})
	if err != nil {
		return "", translate("config:ListDiscoveredResources", err)
	}
	for _, r := range out.ResourceIdentifiers {
		if aws.ToString(r.ResourceId) == id {
			return aws.ToString(r.ResourceName), nil
		}
	}
	return "", nil
}
