// Tabs, of which one panel is shown. https://www.w3.org/WAI/ARIA/apg/patterns/tabs/

// createTabs brings a tablist to life: each tab names its panel in aria-controls, and what else goes with it has its id in
// data-with. It returns a function that opens the tab with an id.
export function createTabs(list) {
  const tabs = [...list.querySelectorAll('[role="tab"]')];

  function open(id) {
    for (const tab of tabs) {
      const on = tab.id === id;
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
      document.getElementById(tab.getAttribute("aria-controls")).hidden = !on;
    }
    for (const node of document.querySelectorAll("[data-with]")) node.hidden = !node.dataset.with.split(" ").includes(id);
  }

  list.addEventListener("click", (event) => {
    const tab = event.target.closest('[role="tab"]');
    if (tab) open(tab.id);
  });
  list.addEventListener("keydown", (event) => {
    const at = tabs.indexOf(document.activeElement);
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key];
    if (at < 0 || next === undefined) return;
    event.preventDefault();
    const tab = tabs.at(next % tabs.length);
    open(tab.id);
    tab.focus();
  });
  return open;
}
