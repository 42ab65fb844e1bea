package awssim

// secretsManager is everything that this Secrets Manager can do; PutSecret makes what it tells.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
var secretsManager = jsonService{
	name:    "secretsmanager",
	target:  "secretsmanager.",
	title:   "Secrets Manager",
	actions: map[string]jsonAction{"GetSecretValue": taking((*Cloud).secretsGetSecretValue)},
	need:    (*Cloud).secretNeed,
}

// currentStage is the label of the one version that a secret has here.
const currentStage = "AWSCURRENT"

type getSecretRequest struct{ SecretId, VersionId, VersionStage string }

func (c *Cloud) secretsGetSecretValue(in getSecretRequest) (any, error) {
	if in.SecretId == "" {
		return nil, refuse("InvalidParameterException", "You must provide a value for the SecretId parameter.")
	}
	s := c.vault.secret(in.SecretId)
	switch {
	case s == nil:
		return nil, refuse("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
	case s.deleted:
		return nil, refuse("InvalidRequestException", "You can't perform this operation on the secret because it was marked for deletion.")
	case in.VersionStage != "" && in.VersionStage != currentStage:
		return nil, refuse("ResourceNotFoundException", "Secrets Manager can't find the specified secret value for staging label: %s", in.VersionStage)
	case in.VersionId != "" && in.VersionId != s.version:
		return nil, refuse("ResourceNotFoundException", "Secrets Manager can't find the specified secret value for VersionId: %s", in.VersionId)
	}
	return struct {
		ARN, Name, SecretString, VersionId string
		VersionStages                      []string
		CreatedDate                        int64 // seconds since 1970
	}{s.arn, s.name, s.text, s.version, []string{currentStage}, s.created.Unix()}, nil
}
