package local

import "os"

// Env is what the real bot needs in its environment to run in this world, as "NAME=value". Call it after Listen, and put it
// after the process's own environment so that it wins.
//
// The empty and null entries keep a developer's own AWS profile out of it: nothing that runs in this world may reach a
// real account by accident.
func (w *World) Env() []string {
	return []string{
		"SLACK_BOT_TOKEN=" + botToken,
		"SLACK_APP_TOKEN=" + appToken,
		"SLACK_CONFIG_TOKEN=" + configToken,
		"SLACK_SIGNING_SECRET=" + signingSecret,
		"SLACK_API_URL=" + w.base + "/slack/api/",
		"AWS_ENDPOINT_URL=" + w.base + "/aws/",
		"AWS_REGION=" + region,
		"AWS_ACCESS_KEY_ID=" + accessKeyID,
		"AWS_SECRET_ACCESS_KEY=" + secretAccessKey,
		"AWS_SESSION_TOKEN=",
		"AWS_PROFILE=",
		"AWS_ENDPOINT_URL_EC2=",
		"AWS_ENDPOINT_URL_SQS=",
		"AWS_ENDPOINT_URL_IAM=",
		"AWS_ENDPOINT_URL_STS=",
		"AWS_ENDPOINT_URL_CONFIG_SERVICE=",
		"AWS_ENDPOINT_URL_SESV2=",
		"AWS_ENDPOINT_URL_EVENTBRIDGE=",
		"AWS_ENDPOINT_URL_SECRETS_MANAGER=",
		"AWS_ENDPOINT_URL_SSM=",
		"AWS_CONFIG_FILE=" + os.DevNull,
		"AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull,
		"AWS_EC2_METADATA_DISABLED=true",
		"SEKISHO_QUEUE_URL=" + w.queue,
	}
}
