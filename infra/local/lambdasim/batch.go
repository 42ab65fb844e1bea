package lambdasim

import "encoding/json"

// failures reads what a function answered to a batch (ReportBatchItemFailures): the ids that failed. Where it cannot be
// relied upon, whole is true: an answer that is no JSON, or an id that is missing or not of the batch.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
func failures(answer []byte, batch map[string]bool) (failed map[string]bool, whole bool) {
	if len(answer) == 0 {
		return nil, false
	}
	var told struct {
		Failures []struct {
			ID string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if err := json.Unmarshal(answer, &told); err != nil {
		return nil, true
	}
	failed = make(map[string]bool)
	for _, f := range told.Failures {
		if !batch[f.ID] {
			return nil, true
		}
		failed[f.ID] = true
	}
	return failed, false
}
