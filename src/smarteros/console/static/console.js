// What htmx does not do: live updates, the keyboard, and forms that are sent at once.

const ASKS_ITSELF = "X-Console-Asks-Itself";
const AGAIN_AFTER_MS = 2000;
const BY_ITSELF = "[data-live], [data-asks-itself]";

document.querySelector("form[data-send-at-once]")?.requestSubmit();

// On a phone the sections lie in a row that is wider than the screen.
document.querySelector(".side nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

// A control that filters submits its form as soon as it changes.
document.addEventListener("change", (event) => {
  if (event.target.matches("form[data-send-on-change] select")) event.target.form.requestSubmit();
});

// What the page asks by itself does not keep anybody signed in who went away.
document.addEventListener("htmx:config:request", (event) => {
  const { ctx } = event.detail;
  if (ctx.sourceElement?.matches(BY_ITSELF)) ctx.request.headers[ASKS_ITSELF] = "1";
});

// What it asks and does not get stays as it is, or says that it is missing; people see their errors as pages.
const offline = document.getElementById("offline");
const without = (element) => {
  offline.hidden = false;
  if (element.dataset.failed) element.textContent = element.dataset.failed;
};
document.addEventListener("htmx:before:response", (event) => {
  const { sourceElement, response } = event.detail.ctx;
  if (!sourceElement?.matches(BY_ITSELF)) return;
  offline.hidden = true;
  if (response.status < 500) return;
  event.preventDefault();
  without(sourceElement);
});
document.addEventListener("htmx:error", (event) => {
  if (event.target.matches?.(BY_ITSELF)) without(event.target);
});

// The server says when something has changed. The browser reconnects by itself, unless it got an answer that is no
// stream: a proxy's while the server starts again, or that the session has ended, which the list then finds out.
const live = document.querySelector("[data-live]");
if (live) {
  let source;
  let lost = false;
  const listen = () => {
    source = new EventSource(live.dataset.live);
    source.addEventListener("open", () => {
      offline.hidden = true;
      if (lost) htmx.trigger(live, "refresh");
      lost = false;
    });
    source.addEventListener("changed", () => htmx.trigger(live, "refresh"));
    source.addEventListener("error", () => {
      lost = true;
      offline.hidden = false;
      if (source.readyState !== EventSource.CLOSED) return;
      htmx.trigger(live, "refresh");
      setTimeout(listen, AGAIN_AFTER_MS);
    });
  };
  listen();
  // A page that is left must not hold its connection, of which a browser has few.
  addEventListener("pagehide", () => source.close());
}

// A button that copies a field's text, where the browser lets pages do so.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.querySelector(button.dataset.copy).value);
    button.textContent = button.dataset.copied;
  });
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
