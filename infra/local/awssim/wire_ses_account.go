package awssim

import (
	"net/http"
	"strings"
)

// What SES tells of the account and of its identities.
// https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetAccount.html
// https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetEmailIdentity.html
const (
	sesGetAccount  = "GetAccount"
	sesGetIdentity = "GetEmailIdentity"
)

// sesLook says which of the two a request is, if any, and of which identity.
func sesLook(r *http.Request) (action, identity string) {
	if r.Method != http.MethodGet {
		return "", ""
	}
	if r.URL.Path == sesPrefix+"account" {
		return sesGetAccount, ""
	}
	name, found := strings.CutPrefix(r.URL.Path, sesPrefix+"identities/")
	if !found || name == "" || strings.Contains(name, "/") {
		return "", ""
	}
	return sesGetIdentity, name
}

func (c *Cloud) serveSESLook(w http.ResponseWriter, r *http.Request, action, identity string) {
	requestID := newRequestID()
	call := Call{Service: "ses", Action: action, Key: signedBy(r)}
	if identity != "" {
		call.IDs = []string{identity}
	}
	out, err := c.callSESLook(r, action, identity)
	c.record(call, err)
	if err != nil {
		refused := asAPIError(err)
		w.Header().Set("X-Amzn-Errortype", refused.Code)
		answer(w, sesContentType, requestID, refused.Status, mustJSON(map[string]string{"message": refused.Message}))
		return
	}
	answer(w, sesContentType, requestID, http.StatusOK, mustJSON(out))
}

func (c *Cloud) callSESLook(r *http.Request, action, identity string) (any, error) {
	if err := c.admitCall(r, "ses", action, "TooManyRequestsException"); err != nil {
		return nil, err
	}
	if r.URL.RawQuery != "" {
		return nil, badRequest("%s has no parameter %s.", action, r.URL.RawQuery)
	}
	by := c.callerOf(r)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.permit(by, c.sesLookNeed(action, identity)); err != nil {
		return nil, err
	}
	if action == sesGetAccount {
		return c.sesAccount(), nil
	}
	return c.sesIdentity(identity)
}

type sesAccount struct {
	DedicatedIpAutoWarmupEnabled bool
	EnforcementStatus            string // "HEALTHY"; AWS's judgement, and no mail goes out with another
	ProductionAccessEnabled      bool   // out of the sandbox
	SendingEnabled               bool
	SendQuota                    sesQuota
}

// sesQuota is of mails in 24 hours, and a second. https://docs.aws.amazon.com/ses/latest/dg/quotas.html
type sesQuota struct {
	Max24HourSend, MaxSendRate, SentLast24Hours float64
}

func (c *Cloud) sesAccount() sesAccount {
	quota := sesQuota{Max24HourSend: 50_000, MaxSendRate: 14}
	if c.post.sandbox {
		quota = sesQuota{Max24HourSend: 200, MaxSendRate: 1}
	}
	quota.SentLast24Hours = float64(len(c.post.sent))
	return sesAccount{
		EnforcementStatus:       "HEALTHY",
		ProductionAccessEnabled: !c.post.sandbox,
		SendingEnabled:          !c.post.paused,
		SendQuota:               quota,
	}
}

type sesIdentity struct {
	IdentityType             string // "EMAIL_ADDRESS", "DOMAIN"
	FeedbackForwardingStatus bool
	VerifiedForSendingStatus bool
	VerificationStatus       string // "SUCCESS", "PENDING"
}

func (c *Cloud) sesIdentity(name string) (any, error) {
	verified, there := c.post.identities[foldDomain(name)]
	if !there {
		return nil, &APIError{"NotFoundException", "Email identity <" + name + "> does not exist.", http.StatusNotFound}
	}
	found := sesIdentity{
		IdentityType:             "DOMAIN",
		FeedbackForwardingStatus: true,
		VerifiedForSendingStatus: verified,
		VerificationStatus:       "PENDING",
	}
	if strings.Contains(name, "@") {
		found.IdentityType = "EMAIL_ADDRESS"
	}
	if verified {
		found.VerificationStatus = "SUCCESS"
	}
	return found, nil
}
