package slackchat

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"sekisho/auth"
	"sekisho/auth/report"
)

// altMost is how long a picture's description may be:
// https://docs.slack.dev/reference/methods/files.getUploadURLExternal
const altMost = 1000

// errNotTheirs is what slack-go says of an upload's URL, without that URL.
var errNotTheirs = errors.New("the upload's URL is neither an https one of Slack's nor at SLACK_API_URL")

// Upload hands a file over. Nobody sees it before Share, and Slack throws it
// away if that never comes. The error wraps auth.ErrNotReachable where trying
// again is no use.
// https://docs.slack.dev/messaging/working-with-files#uploading_files
func (c *Chat) Upload(ctx context.Context, f report.File) (report.SlackFile, error) {
	if len(f.Content) == 0 {
		return report.SlackFile{}, fmt.Errorf("uploading %s: it is empty, and Slack takes no empty files", f.Name)
	}
	var at *slack.GetUploadURLExternalResponse
	err := c.patiently(ctx, func() (err error) {
		at, err = c.api().GetUploadURLExternalContext(ctx, slack.GetUploadURLExternalParameters{
			FileName: f.Name, FileSize: len(f.Content), AltTxt: cut(f.Title, altMost),
		})
		return err
	})
	if err == nil {
		err = c.patiently(ctx, func() error {
			err := c.api().UploadToURL(ctx, slack.UploadToURLParameters{
				UploadURL: at.UploadURL, Filename: f.Name, Reader: bytes.NewReader(f.Content),
			})
			if err != nil && strings.Contains(c.plain(err).Error(), at.UploadURL) { // whoever has it can put bytes there
				return errNotTheirs
			}
			return err
		})
	}
	if err != nil {
		return report.SlackFile{}, fmt.Errorf("uploading %s: %w", f.Name, c.unreachable(untakable(err)))
	}
	return report.SlackFile{ID: at.FileID, Title: f.Title}, nil
}

// Share shows files in the thread of a message or, without a channel, to image
// blocks alone. The error is as Post's.
// https://docs.slack.dev/reference/methods/files.completeUploadExternal
func (c *Chat) Share(ctx context.Context, channel, thread string, files []report.SlackFile) error {
	if len(files) == 0 {
		return errors.New("sharing files: there are none")
	}
	done := slack.CompleteUploadExternalParameters{Channel: channel, ThreadTimestamp: thread}
	for _, f := range files {
		done.Files = append(done.Files, slack.FileSummary{ID: f.ID, Title: cut(f.Title, altMost)})
	}
	err := c.patiently(ctx, func() error {
		if channel != "" {
			if err := c.pace(channel).Wait(ctx); err != nil {
				return fmt.Errorf("%w: %w", errUnsent, err)
			}
		}
		_, err := c.api().CompleteUploadExternalContext(ctx, done)
		return err
	})
	if err != nil {
		return fmt.Errorf("sharing files in %s: %w", channel, c.unsaid(untakable(err)))
	}
	return nil
}

// untakable marks an error as auth.ErrNotReachable when Slack takes no such file
// from this app, or none in this workspace.
// https://docs.slack.dev/reference/methods/files.getUploadURLExternal
func untakable(err error) error {
	switch refusal(err).Err {
	case "missing_scope", "file_uploads_disabled", "file_uploads_except_images_disabled", "file_type_not_allowed",
		"file_upload_size_restricted":
		return fmt.Errorf("%w: %w", auth.ErrNotReachable, err)
	}
	return err
}

func cut(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}
