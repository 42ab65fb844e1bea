package browsertest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"sekisho/infra/local/browsertest"
)

// restless is a page that is drawn anew all the time, and counts the clicks.
const restless = `<!doctype html><body data-ready><main></main><script>
  window.clicks = 0;
  const button = document.createElement("button"), field = document.createElement("input");
  button.textContent = "Press me"; button.dataset.testid = "button"; field.dataset.testid = "field";
  const draw = () => {
    const again = [button.cloneNode(true), field.cloneNode(true)];
    again[0].onmousedown = () => window.clicks++;
    document.querySelector("main").replaceChildren(...again);
    setTimeout(draw, 5);
  };
  draw();
</script>`

func TestAPageThatIsDrawnAnewIsUsedAllTheSame(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(rw, restless)
	}))
	t.Cleanup(server.Close)
	tab := browsertest.Tab(t)
	browsertest.Do(t, tab, browsertest.Visit(server.URL))
	const often = 20
	for range often {
		browsertest.Do(t, tab, browsertest.Click("button"))
	}
	if n := browsertest.Eval[int](t, tab, `window.clicks`); n != often {
		t.Errorf("%d clicks arrived of %d", n, often)
	}
	for range 2 * often {
		browsertest.Do(t, tab, browsertest.Press("field", "x")) // the key itself may come too late for the field that had the focus
	}
}
