package awssim

import "slices"

// SetRoot says how the root user is. A third key is LimitExceeded.
func (c *Cloud) SetRoot(r Root) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(r.Keys) > maxKeys {
		return errQuota("AccessKeysPerUser", maxKeys)
	}
	if r.Created.IsZero() {
		r.Created = c.report.root.Created
	}
	r.Created, r.PasswordLastUsed = wholeSecond(r.Created), wholeSecond(r.PasswordLastUsed)
	r.Keys = slices.Clone(r.Keys)
	for i := range r.Keys {
		if err := c.fillKey(&r.Keys[i]); err != nil {
			return err
		}
	}
	c.report.root = r
	c.changed()
	return nil
}

// Root gives the root user.
func (c *Cloud) Root() Root {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.report.root
	r.Keys = slices.Clone(r.Keys)
	return r
}

// ReportTakes makes every credential report begun from now on be in progress for n calls, those of GenerateCredentialReport
// and of GetCredentialReport together, before it is there. At first n is 1: started, in progress, complete.
func (c *Cloud) ReportTakes(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.report.takes = n
}

// ReportAlso gives the next credential reports more columns, after the usual ones and N/A in every row. IAM's guide knows
// one such, additional_credentials_info, that not every account's report has.
func (c *Cloud) ReportAlso(columns ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.report.extra = append(c.report.extra, columns...)
}

// ReportLacks takes columns out of the next credential reports.
func (c *Cloud) ReportLacks(columns ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.report.lacking = append(c.report.lacking, columns...)
}

// ReportByTheBook makes the next credential reports be as IAM's guide describes them, where those of real accounts differ:
// TRUE and FALSE in capitals, and no date of rotation for a key that is inactive.
func (c *Cloud) ReportByTheBook(byTheBook bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.report.byTheBook = byTheBook
}

// ForgetReport makes the account have no credential report, nor one in the making: the next tells what is so now.
func (c *Cloud) ForgetReport() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.report.content, c.report.pending = nil, false
}
