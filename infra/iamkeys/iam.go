// Package iamkeys reads IAM users and ends their access keys. It asks IAM, and
// STS and AWS Config about whose an id is.
package iamkeys

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"sekisho/auth/purge"
	"sekisho/infra/awscall"
)

// api is what is called of IAM. With one action of Config it is the role's whole
// need; STS answers anyone.
type api interface {
	ListUsers(context.Context, *iam.ListUsersInput, ...func(*iam.Options)) (*iam.ListUsersOutput, error)
	GetUser(context.Context, *iam.GetUserInput, ...func(*iam.Options)) (*iam.GetUserOutput, error)
	ListAccessKeys(context.Context, *iam.ListAccessKeysInput, ...func(*iam.Options)) (*iam.ListAccessKeysOutput, error)
	GetAccessKeyLastUsed(context.Context, *iam.GetAccessKeyLastUsedInput, ...func(*iam.Options)) (*iam.GetAccessKeyLastUsedOutput, error)
	UpdateAccessKey(context.Context, *iam.UpdateAccessKeyInput, ...func(*iam.Options)) (*iam.UpdateAccessKeyOutput, error)
	DeleteAccessKey(context.Context, *iam.DeleteAccessKeyInput, ...func(*iam.Options)) (*iam.DeleteAccessKeyOutput, error)
}

// IAM is one account's users and access keys.
type IAM struct {
	api    api
	sts    awscall.Call
	config awscall.Call
}

var (
	_ purge.UserReader = (*IAM)(nil)
	_ purge.KeyReader  = (*IAM)(nil)
	_ purge.Ender      = (*IAM)(nil)
	_ purge.Finder     = (*IAM)(nil)
)

// New makes the adapter. A purge asks IAM for every user and key in a row, at
// limits that are not published and that all tools of an account share. So the
// SDK's adaptive mode slows all calls down once one was throttled, and each is
// tried eight times: that takes about a minute, with nobody waiting, and the
// caller's deadline cuts it short.
func New(forIAM, forSTS, forConfig aws.Config) *IAM {
	forIAM.RetryMode, forIAM.RetryMaxAttempts = aws.RetryModeAdaptive, 8
	return &IAM{api: iam.NewFromConfig(forIAM), sts: stsCall(forSTS), config: configCall(forConfig)}
}

// errNameless: a call without a user is for IAM one about the caller's own
// (https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteAccessKey.html).
var errNameless = errors.New("no IAM user is named, and IAM would take the bot's own")

// usersAtMost is what one page holds; IAM may put less on it, and nothing at all:
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUsers.html
const usersAtMost = 1000

// Users keeps the promise of purge.UserReader.
func (i *IAM) Users(ctx context.Context, each func(purge.User)) error {
	in := &iam.ListUsersInput{MaxItems: aws.Int32(usersAtMost)}
	for {
		out, err := i.api.ListUsers(ctx, in)
		if err != nil {
			return translate("iam:ListUsers", err)
		}
		for _, u := range out.Users {
			each(user(u))
		}
		if in.Marker = out.Marker; !out.IsTruncated {
			return nil
		}
	}
}

// User keeps the promise of purge.UserReader.
func (i *IAM) User(ctx context.Context, name string) (purge.User, error) {
	if name == "" {
		return purge.User{}, errNameless
	}
	out, err := i.api.GetUser(ctx, &iam.GetUserInput{UserName: &name})
	if err != nil {
		return purge.User{}, translate("iam:GetUser", err)
	}
	if out.User == nil {
		return purge.User{}, fmt.Errorf("iam:GetUser: the answer holds no user %s", name)
	}
	u := user(*out.User)
	u.Tags = make(map[string]string, len(out.User.Tags))
	for _, t := range out.User.Tags {
		u.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return u, nil
}

// user leaves the tags out: not every answer has them.
func user(u types.User) purge.User {
	return purge.User{Name: aws.ToString(u.UserName), ID: aws.ToString(u.UserId), Path: aws.ToString(u.Path)}
}

// Keys keeps the promise of purge.KeyReader.
func (i *IAM) Keys(ctx context.Context, user string) ([]purge.Key, error) {
	if user == "" {
		return nil, errNameless
	}
	var keys []purge.Key
	in := &iam.ListAccessKeysInput{UserName: &user}
	for {
		out, err := i.api.ListAccessKeys(ctx, in)
		if err != nil {
			return nil, translate("iam:ListAccessKeys", err)
		}
		for _, k := range out.AccessKeyMetadata {
			keys = append(keys, purge.Key{
				ID: aws.ToString(k.AccessKeyId), Active: k.Status == types.StatusTypeActive, Created: aws.ToTime(k.CreateDate),
			})
		}
		if in.Marker = out.Marker; !out.IsTruncated {
			return keys, nil
		}
	}
}

// LastUse keeps the promise of purge.KeyReader.
func (i *IAM) LastUse(ctx context.Context, id string) (u purge.Use, user string, err error) {
	out, err := i.api.GetAccessKeyLastUsed(ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: &id})
	if err != nil {
		return u, "", translate("iam:GetAccessKeyLastUsed", err)
	}
	if last := out.AccessKeyLastUsed; last != nil {
		u = purge.Use{At: aws.ToTime(last.LastUsedDate), Service: available(last.ServiceName), Region: available(last.Region)}
	}
	return u, aws.ToString(out.UserName), nil
}

// available is empty where IAM says that it does not know:
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKeyLastUsed.html
func available(text *string) string {
	if aws.ToString(text) == "N/A" {
		return ""
	}
	return aws.ToString(text)
}

// Deactivate keeps the promise of purge.Ender.
func (i *IAM) Deactivate(ctx context.Context, user, id string) error {
	return i.set(ctx, user, id, types.StatusTypeInactive)
}

// Reactivate keeps the promise of purge.Ender.
func (i *IAM) Reactivate(ctx context.Context, user, id string) error {
	return i.set(ctx, user, id, types.StatusTypeActive)
}

func (i *IAM) set(ctx context.Context, user, id string, s types.StatusType) error {
	if user == "" {
		return errNameless
	}
	_, err := i.api.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: &user, AccessKeyId: &id, Status: s})
	return translate("iam:UpdateAccessKey", err)
}

// Delete keeps the promise of purge.Ender.
func (i *IAM) Delete(ctx context.Context, user, id string) error {
	if user == "" {
		return errNameless
	}
	_, err := i.api.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: &user, AccessKeyId: &id})
	return translate("iam:DeleteAccessKey", err)
}
