package awssim

import "strings"

// ssm is everything that this Systems Manager can do; PutParameter makes what it tells.
// https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
var ssm = jsonService{
	name:    "ssm",
	target:  "AmazonSSM.",
	title:   "Systems Manager",
	actions: map[string]jsonAction{"GetParameter": taking((*Cloud).ssmGetParameter)},
	need:    (*Cloud).parameterNeed,
}

type getParameterRequest struct {
	Name           string
	WithDecryption bool
}

type parameterJSON struct {
	ARN, Name, DataType string
	Type                string // "String", "SecureString"
	Value               string
	Version             int
	LastModifiedDate    int64 // seconds since 1970
}

func (c *Cloud) ssmGetParameter(in getParameterRequest) (any, error) {
	if in.Name == "" {
		return nil, errNotGiven("name")
	}
	name := strings.TrimPrefix(in.Name, c.parameterARN(""))
	if strings.Contains(name, ":") && !strings.HasPrefix(name, "arn:") {
		return nil, errValidation("The local Systems Manager has no versions and labels: name the parameter alone.")
	}
	p := c.parameter(in.Name)
	if p == nil {
		return nil, refuse("ParameterNotFound", "")
	}
	shown := parameterJSON{
		ARN:              c.parameterARN(p.name),
		Name:             p.name,
		DataType:         "text",
		Type:             "String",
		Value:            p.text,
		Version:          p.version,
		LastModifiedDate: p.modified.Unix(),
	}
	if p.secure {
		shown.Type = "SecureString"
		if !in.WithDecryption {
			shown.Value = p.sealed
		}
	}
	return map[string]parameterJSON{"Parameter": shown}, nil
}
