package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"sekisho/infra/local/awssim"
)

const (
	day   = 24 * time.Hour
	ageBy = 100 * day // beyond the 90 days that the Config rule allows, in one step
)

type iamInput struct {
	Do   string `json:"do"`   // "age", "use", "deactivate", "activate", "delete"; "create" a key
	User string `json:"user"` // whose key it is
	Key  string `json:"key"`  // id; none for "create"
}

// iam is somebody using the IAM console, or time passing for one key.
func (w *World) iam(_ context.Context, in iamInput) error {
	var err error
	switch in.Do {
	case "age":
		err = w.age(in)
	case "use":
		err = w.useKey(in)
	case "deactivate", "activate":
		w.aboutToChangeKeys(in.User)
		err = w.AWS.SetKey(in.Key, in.Do == "activate")
	case "delete":
		w.aboutToChangeKeys(in.User)
		err = w.AWS.DeleteKey(in.Key)
	case "create":
		w.aboutToChangeKeys(in.User)
		_, err = w.AWS.CreateKey(in.User)
	default:
		return &refusal{"bad_request", fmt.Sprintf("the IAM console cannot %q", in.Do)}
	}
	return w.notDone(err, entry{Name: in.User, Detail: "IAM: " + in.Do + " refused"})
}

// age lets a key grow old, and Config look at its owner: before as well as after, since only a change is an event.
func (w *World) age(in iamInput) error {
	if err := w.AWS.CheckCompliance(in.User); err != nil {
		return err
	}
	if err := w.AWS.AgeKey(in.Key, ageBy); err != nil {
		return err
	}
	return w.AWS.CheckCompliance(in.User)
}

// useKey signs a call with the key, to the service that it is used for.
func (w *World) useKey(in iamInput) error {
	service, where := "s3", region
	u, _ := w.AWS.User(in.User)
	for _, k := range u.Keys {
		if k.ID == in.Key {
			service, where = cmp.Or(k.Service, service), cmp.Or(k.Region, where)
		}
	}
	return w.AWS.UseKey(in.Key, service, where)
}

// notDone writes down, for all to see, what AWS did not do for somebody in a console, and makes it an answer.
func (w *World) notDone(err error, e entry) error {
	if err == nil {
		return nil
	}
	refused := &refusal{"InternalError", err.Error()}
	if api, ok := errors.AsType[*awssim.APIError](err); ok {
		refused = &refusal{api.Code, api.Message}
	}
	e.Kind, e.Code = "refused", refused.Code
	w.journal.add(e)
	w.changed()
	return refused
}

type userView struct {
	Name string    `json:"name"`
	Path string    `json:"path"`
	Keys []keyView `json:"keys"`
}

type keyView struct {
	ID      string    `json:"id"`
	Active  bool      `json:"active"`
	Days    int       `json:"days"` // whole days since its creation
	Used    time.Time `json:"used,omitzero"`
	Service string    `json:"service"` // of the last use
}

func viewUser(u awssim.User, now time.Time) userView {
	view := userView{Name: u.Name, Path: u.Path, Keys: []keyView{}}
	for _, k := range u.Keys {
		view.Keys = append(view.Keys, keyView{k.ID, k.Active, int(now.Sub(k.Created) / day), k.Used, k.Service})
	}
	return view
}
