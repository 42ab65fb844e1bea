package awssim

import (
	"net/http"
	"regexp"
	"slices"
)

// authorization is the Signature Version 4 header: access key id, day, region, service.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
var authorization = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=([^/, ]+)/(\d{8})/([^/, ]+)/([^/, ]+)/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=[0-9a-f]{64}$`)

// globalRegion is where calls to services without regions are signed for. A client that is given an endpoint of its own
// signs for the region that it was configured with instead, so both are good.
const globalRegion = "us-east-1"

func global(service string) bool { return service == "iam" || service == "sts" }

// signature is what a request's signature says of itself. All of it is empty where there is none.
type signature struct{ key, region, service string }

func signatureOf(r *http.Request) signature {
	if part := authorization.FindStringSubmatch(r.Header.Get("Authorization")); part != nil {
		return signature{part[1], part[3], part[4]}
	}
	return signature{}
}

// signedBy is the access key id that a request is signed with.
func signedBy(r *http.Request) string { return signatureOf(r).key }

// signedRegion is the Region that a request's signature is for.
func signedRegion(r *http.Request) string { return signatureOf(r).region }

// signedFor is the service that a request's signature is for. It is all that tells IAM's forms from EC2's.
func signedFor(r *http.Request) string { return signatureOf(r).service }

// reachable says whether a service answers in a Region: Config in all of them, for its rules are looked for in each.
func (c *Cloud) reachable(service, region string) bool {
	switch {
	case region == c.opts.Region:
		return true
	case service == "config":
		return slices.Contains(c.regions(), region)
	}
	return global(service) && region == globalRegion
}

// checkSignature refuses a call that isn't signed, or is signed by another key or for another place.
//
// The signature itself is not computed again. Every key here is for show, so there is no secret to prove, and the
// mistakes worth catching (no credentials, those of another account, the wrong region) show without it.
func (c *Cloud) checkSignature(r *http.Request, service string) error {
	header := r.Header.Get("Authorization")
	if header == "" {
		return signatureError(service, "MissingAuthenticationToken", "Missing Authentication Token")
	}
	signed := signatureOf(r)
	if signed.key == "" || r.Header.Get("X-Amz-Date") == "" {
		return signatureError(service, "IncompleteSignature", "The Authorization header is not a Signature Version 4, or X-Amz-Date is missing.")
	}
	switch region := signed.region; {
	case !c.knowsKey(signed.key):
		return signatureError(service, "InvalidClientTokenId", "The security token included in the request is invalid.")
	case !c.reachable(service, region):
		return signatureError(service, "SignatureDoesNotMatch", "Credential should be scoped to a valid region, not '"+region+"'. This is "+c.opts.Region+".")
	case signed.service != service:
		return signatureError(service, "SignatureDoesNotMatch", "Credential should be scoped to correct service: '"+service+"'.")
	}
	return nil
}

func (c *Cloud) knowsKey(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.opts.AccessKeyID == "" || id == c.opts.AccessKeyID || c.roleOf(id) != nil
}

// signatureError words what is wrong with a signature as the service does: EC2 has one code for everything.
func signatureError(service, code, message string) error {
	if service == "ec2" {
		return &APIError{"AuthFailure", "AWS was not able to validate the provided access credentials: " + message, http.StatusUnauthorized}
	}
	return &APIError{code, message, http.StatusForbidden}
}
