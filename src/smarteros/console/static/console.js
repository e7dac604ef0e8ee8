// What htmx does not do: live updates, the keyboard, and forms that are sent at once.

const ASKS_ITSELF = "X-Console-Asks-Itself";

document.querySelector("form[data-send-at-once]")?.requestSubmit();

// A control that filters submits its form as soon as it changes.
document.addEventListener("change", (event) => {
  if (event.target.matches("form[data-send-on-change] select")) event.target.form.requestSubmit();
});

// What the page asks by itself does not keep anybody signed in who went away.
document.addEventListener("htmx:config:request", (event) => {
  const { ctx } = event.detail;
  if (ctx.sourceElement?.matches("[data-live]")) ctx.request.headers[ASKS_ITSELF] = "1";
});

// The server says when something has changed; the browser reconnects by itself.
const live = document.querySelector("[data-live]");
if (live) {
  const offline = document.getElementById("offline");
  const source = new EventSource(live.dataset.live);
  let lost = false;
  source.addEventListener("open", () => {
    offline.hidden = true;
    if (lost) htmx.trigger(live, "refresh");
    lost = false;
  });
  source.addEventListener("changed", () => htmx.trigger(live, "refresh"));
  source.addEventListener("error", () => {
    lost = true;
    offline.hidden = false;
  });
  // A page that is left must not hold its connection, of which a browser has few.
  addEventListener("pagehide", () => source.close());
}

// "/" goes to the search field; j and k walk through a list.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea, select")) return;
  if (event.key === "/") {
    const field = document.querySelector("input[type=search]");
    if (field) {
      event.preventDefault();
      field.focus();
    }
  } else if (event.key === "j" || event.key === "k") {
    const items = [...document.querySelectorAll("[data-walk]")];
    const next = items[items.indexOf(document.activeElement) + (event.key === "j" ? 1 : -1)];
    (next ?? (event.key === "j" ? items[0] : undefined))?.focus();
  }
});
