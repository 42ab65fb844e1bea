package awslook

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"golang.org/x/sync/errgroup"

	"sekisho/auth/doctor"
)

// keysRotated is AWS's own rule about the age of access keys:
// https://docs.aws.amazon.com/config/latest/developerguide/access-keys-rotated.html
const keysRotated = "ACCESS_KEYS_ROTATED"

const (
	regionsAtOnce = 8
	regionFor     = 10 * time.Second // one that does not answer must not cost the others
)

// KeyRules keeps the promise of doctor.AWS. It asks every Region that the account
// has switched on, and leaves out those that refuse, as where an organization
// forbids a Region; where all refuse, that is the error.
func (l *Look) KeyRules(ctx context.Context) ([]doctor.KeyRule, error) {
	regions, err := l.ec2.DescribeRegions(ctx, &ec2.DescribeRegionsInput{})
	if err != nil {
		return nil, failed("ec2:DescribeRegions", "*", err)
	}
	var (
		mu       sync.Mutex
		all      []doctor.KeyRule
		answered bool
		refusal  error
		asking   errgroup.Group
	)
	asking.SetLimit(regionsAtOnce)
	for _, r := range regions.Regions {
		asking.Go(func() error {
			rules, err := l.keyRules(ctx, aws.ToString(r.RegionName))
			mu.Lock()
			defer mu.Unlock()
			switch {
			case errors.Is(err, doctor.ErrUnseen):
				refusal = err
				return nil
			case err != nil: // it may be there, or not
				return fmt.Errorf("%s %w: %w", aws.ToString(r.RegionName), doctor.ErrUnseen, err)
			}
			answered = true
			all = append(all, rules...)
			return nil
		})
	}
	if err := asking.Wait(); err != nil {
		return nil, err
	}
	if !answered {
		return nil, refusal
	}
	slices.SortFunc(all, func(a, b doctor.KeyRule) int {
		return cmp.Or(cmp.Compare(a.Region, b.Region), cmp.Compare(a.Name, b.Name))
	})
	return all, nil
}

func (l *Look) keyRules(ctx context.Context, region string) ([]doctor.KeyRule, error) {
	ctx, cancel := context.WithTimeout(ctx, regionFor)
	defer cancel()
	var found []doctor.KeyRule
	in := &configservice.DescribeConfigRulesInput{}
	for {
		out, err := l.config.DescribeConfigRules(ctx, in, func(o *configservice.Options) { o.Region = region })
		if err != nil {
			return nil, failed("config:DescribeConfigRules", "*", err)
		}
		for _, r := range out.ConfigRules {
			if r.Source != nil && aws.ToString(r.Source.SourceIdentifier) == keysRotated {
				found = append(found, doctor.KeyRule{Name: aws.ToString(r.ConfigRuleName), Region: region})
			}
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return found, nil
		}
	}
}
