package commands

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"sekisho/auth"
	"sekisho/auth/report"
)

// toSlack posts the message, and shows the files in its thread.
func (s *sending) toSlack(ctx context.Context, pictures []report.File) error {
	images, err := s.uploaded(ctx, pictures)
	if err != nil {
		return err
	}
	p, doubt, err := s.message(ctx, partMessage, func(ctx context.Context) (posted, error) { return s.inAForm(ctx, images) })
	if err != nil {
		return err
	}
	if doubt {
		s.sent.add(true, "Slack: not known whether the message arrived")
		if p, doubt, err = s.stand(ctx); err != nil || doubt {
			return err
		}
	}
	r, err := s.part(ctx, partFiles, func(ctx context.Context) (string, error) { return s.share(ctx, p, pictures) })
	switch {
	case err != nil:
	case r.doubt, r.ref == filesRefused:
		s.sent.add(true, "Slack %s, without its files", p.Channel)
	default:
		s.sent.add(false, "Slack %s", p.Channel)
	}
	return err
}

// posted is where a report's message stands.
type posted struct {
	Channel  string `json:"channel"`
	TS       string `json:"ts"`
	Pictures bool   `json:"pictures"` // the message shows them
}

// message is a part that is a message, and where it stands.
func (s *sending) message(ctx context.Context, name string, say func(context.Context) (posted, error)) (p posted, doubt bool, err error) {
	r, err := s.part(ctx, name, func(ctx context.Context) (string, error) {
		p, err := say(ctx)
		if err != nil {
			return "", err
		}
		text, err := json.Marshal(p)
		return string(text), err
	})
	if err == nil && !r.doubt {
		err = json.Unmarshal([]byte(r.ref), &p)
	}
	return p, r.doubt, err
}

// stand is a thread for the files, where it is not known whether the message
// was posted.
func (s *sending) stand(ctx context.Context) (p posted, doubt bool, err error) {
	m := say(s.called + ": its data is in this thread.")
	return s.message(ctx, partThread, func(ctx context.Context) (posted, error) { return s.post(ctx, m.Text, m.Blocks) })
}

// uploaded hands the pictures to Slack, for the message to show.
func (s *sending) uploaded(ctx context.Context, pictures []report.File) ([]report.SlackFile, error) {
	r, err := s.part(ctx, partPictures, func(ctx context.Context) (string, error) {
		images, err := s.upload(ctx, pictures)
		if err == nil && len(images) > 0 {
			err = s.desk.Files.Share(ctx, "", "", images)
		}
		if err != nil { // the thread gets them instead
			s.desk.Log.WarnContext(ctx, "uploading the report's pictures", "report", s.policy.Name, "error", err)
			images = nil
		}
		text, err := json.Marshal(images)
		return string(text), err
	})
	var images []report.SlackFile
	if err == nil {
		err = json.Unmarshal([]byte(r.ref), &images)
	}
	return images, err
}

func (s *sending) upload(ctx context.Context, files []report.File) ([]report.SlackFile, error) {
	var all []report.SlackFile
	for _, f := range files {
		up, err := s.desk.Files.Upload(ctx, f)
		if err != nil {
			return nil, err
		}
		all = append(all, up)
	}
	return all, nil
}

// filesRefused stands where the files' sharing would.
const filesRefused = "refused"

// share shows the data below the message, and the pictures where the message
// does not. Why Slack takes no files is told to people, and it is not tried again.
func (s *sending) share(ctx context.Context, p posted, pictures []report.File) (ref string, err error) {
	files, err := s.files()
	if err != nil {
		return "", err
	}
	if !p.Pictures {
		files = append(append([]report.File{}, pictures...), files...)
	}
	up, err := s.upload(ctx, files)
	if err == nil {
		err = s.desk.Files.Share(ctx, p.Channel, p.TS, up)
	}
	if errors.Is(err, auth.ErrNotReachable) {
		s.desk.Log.ErrorContext(ctx, "Slack takes no files", "channel", p.Channel, "error", err)
		return filesRefused, s.tell(ctx, fmt.Sprintf(":wrench: *%s is there, but its files could not be put below it.* Slack says: %s. Then: %s.", s.called, quoted(err.Error(), 500), s.again))
	}
	return "shared", err
}
