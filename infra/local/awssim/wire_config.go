package awssim

import (
	"encoding/json"
	"net/http"
)

// Config's JSON protocol, as far as it tells of its rules, and the name of an IAM user whose id an event gave.
// https://docs.aws.amazon.com/config/latest/APIReference/Welcome.html
const (
	configTarget      = "StarlingDoveService."
	configContentType = "application/x-amz-json-1.1"
)

// Config's limits. https://docs.aws.amazon.com/config/latest/APIReference/API_ListDiscoveredResources.html
// https://docs.aws.amazon.com/config/latest/APIReference/API_BatchGetResourceConfig.html
const (
	maxResourceIDs  = 20
	maxResourceKeys = 100
)

// configActions is everything this Config can do. The caller holds mu.
var configActions = map[string]func(*Cloud, configRequest) (any, error){
	"BatchGetResourceConfig":  (*Cloud).configBatchGetResourceConfig,
	"DescribeConfigRules":     (*Cloud).configDescribeConfigRules,
	"ListDiscoveredResources": (*Cloud).configListDiscoveredResources,
}

// configRequest has every parameter that an action here takes or refuses.
type configRequest struct {
	ResourceType            string        `json:"resourceType"`
	ResourceIDs             []string      `json:"resourceIds"`
	ResourceName            string        `json:"resourceName"`
	IncludeDeletedResources bool          `json:"includeDeletedResources"`
	NextToken               string        `json:"nextToken"`
	ResourceKeys            []resourceKey `json:"resourceKeys"`

	ConfigRuleNames []string
	Filters         json.RawMessage

	region string // that it was signed for
}

type resourceKey struct {
	ResourceType string `json:"resourceType"`
	ResourceID   string `json:"resourceId"` // "AIDA…"
}

func (c *Cloud) serveConfig(w http.ResponseWriter, r *http.Request, action string, body []byte) {
	requestID := newRequestID()
	in := configRequest{region: signedRegion(r)}
	parseErr := json.Unmarshal(body, &in)
	call := Call{Service: "config", Action: action, IDs: in.ResourceIDs, Key: signedBy(r)}
	for _, key := range in.ResourceKeys {
		call.IDs = append(call.IDs, key.ResourceID)
	}

	out, err := c.callConfig(r, action, in, parseErr)
	c.record(call, err)
	if err != nil {
		refused := asAPIError(err)
		shape := map[string]string{"__type": refused.Code, "message": refused.Message}
		answer(w, configContentType, requestID, refused.Status, mustJSON(shape))
		return
	}
	answer(w, configContentType, requestID, http.StatusOK, mustJSON(out))
}

func (c *Cloud) callConfig(r *http.Request, action string, in configRequest, parseErr error) (any, error) {
	if err := c.admitCall(r, "config", action, "ThrottlingException"); err != nil {
		return nil, err
	}
	if parseErr != nil {
		return nil, refuse("SerializationException", "The request's body is not the JSON expected: %v", parseErr)
	}
	do := configActions[action]
	if do == nil {
		return nil, refuse("UnknownOperationException", "The local Config doesn't know the action %s.", action)
	}
	by := c.callerOf(r)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.permit(by, configNeed(action)); err != nil {
		return nil, err
	}
	return do(c, in)
}

// configured is a user as Config knows it.
type configured struct {
	User
	name string // maybe an old one, or ""
}

// configuredUser finds a user by its id, as far as Config knows it. Of those deleted it knows nothing.
func (c *Cloud) configuredUser(key resourceKey) (configured, bool) {
	a := c.iam.byID[key.ResourceID]
	if key.ResourceType != userType || a == nil || c.faults.configGaps[a.Name] {
		return configured{}, false
	}
	if old, wrong := c.faults.configNames[a.Name]; wrong {
		return configured{a.User, old}, true
	}
	return configured{a.User, a.Name}, true
}

type resourceIdentifier struct {
	resourceKey
	ResourceName string `json:"resourceName,omitempty"`
}

// configListDiscoveredResources leaves out what Config doesn't know.
func (c *Cloud) configListDiscoveredResources(in configRequest) (any, error) {
	switch n := len(in.ResourceIDs); {
	case in.ResourceType == "":
		return nil, errConfig("resourceType must be given")
	case n > maxResourceIDs:
		return nil, errConfig("'resourceIds' failed to satisfy constraint: Member must have length less than or equal to 20")
	case in.region != c.opts.Region:
		return nil, errNoRecorder()
	case n == 0 || in.ResourceName != "" || in.IncludeDeletedResources || in.NextToken != "":
		return nil, errConfig("the local Config lists by resourceIds alone, on one page, and keeps nothing that was deleted")
	}
	found := []resourceIdentifier{}
	for _, id := range in.ResourceIDs {
		key := resourceKey{in.ResourceType, id}
		if u, known := c.configuredUser(key); known {
			found = append(found, resourceIdentifier{key, u.name})
		}
	}
	return map[string]any{"resourceIdentifiers": found}, nil
}

// configItem is a resource's configuration, itself JSON in a string.
type configItem struct {
	resourceIdentifier
	Version       string `json:"version"`
	AccountID     string `json:"accountId"`
	ARN           string `json:"arn,omitempty"`
	Region        string `json:"awsRegion"` // users have none: "global"
	Status        string `json:"configurationItemStatus"`
	Captured      int64  `json:"configurationItemCaptureTime"` // seconds since 1970, as Created
	Created       int64  `json:"resourceCreationTime"`
	Configuration string `json:"configuration"`
}

// configBatchGetResourceConfig says which resources it couldn't tell of.
func (c *Cloud) configBatchGetResourceConfig(in configRequest) (any, error) {
	switch n := len(in.ResourceKeys); {
	case n == 0:
		return nil, errConfig("'resourceKeys' failed to satisfy constraint: Member must have length greater than or equal to 1")
	case n > maxResourceKeys:
		return nil, errConfig("'resourceKeys' failed to satisfy constraint: Member must have length less than or equal to 100")
	case in.region != c.opts.Region:
		return nil, errNoRecorder()
	}
	items, unprocessed := []configItem{}, []resourceKey{}
	for _, key := range in.ResourceKeys {
		u, known := c.configuredUser(key)
		if !known {
			unprocessed = append(unprocessed, key)
			continue
		}
		items = append(items, c.configItem(key, u))
	}
	return map[string]any{"baseConfigurationItems": items, "unprocessedResourceKeys": unprocessed}, nil
}

func (c *Cloud) configItem(key resourceKey, u configured) configItem {
	item := configItem{
		resourceIdentifier: resourceIdentifier{key, u.name},
		Version:            "1.3",
		AccountID:          c.opts.Account,
		Region:             "global",
		Status:             "ResourceDiscovered",
		Captured:           u.Created.Unix(),
		Created:            u.Created.Unix(),
	}
	configuration := map[string]string{"path": u.Path, "userId": u.ID, "createDate": milliseconds(u.Created)}
	if u.name != "" {
		u.Name = u.name // the ARN is as old as the name
		item.ARN = u.arn(c.opts.Account)
		configuration["userName"], configuration["arn"] = u.Name, item.ARN
	}
	item.Configuration = string(mustJSON(configuration))
	return item
}

// errNoRecorder is the answer of the Regions where nothing is recorded, which are all but one.
func errNoRecorder() *APIError {
	return refuse("NoAvailableConfigurationRecorderException", "There is no configuration recorder available in this Region.")
}

func errConfig(why string) *APIError {
	return refuse("ValidationException", "1 validation error detected: %s", why)
}
