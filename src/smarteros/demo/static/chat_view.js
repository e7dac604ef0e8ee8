/** Drawing the conversation: bubbles, the typing indicator and what to say about its state. */

import { isCustomers } from "./conversation.js";
import { byId, el, icon } from "./dom.js";
import { duration, hour } from "./format.js";
import { render } from "./markdown.js";
import { t } from "./texts.js";
import { totalMs } from "./turn_view.js";

// Nearer than this to the end, the reader is following the conversation.
const NEAR_END_PX = 120;

/** Where messages appear. `onTurn(turn)` is told when the visitor asks how a reply came about. */
export class ChatView {
  #bubbles = new Map();
  /** Whether the reader is at the end and wants to stay there when more comes. */
  #following = true;
  #scrollTop = 0;

  constructor({ onTurn, onRetry }) {
    Object.assign(this, { onTurn, onRetry });
    this.scroller = byId("scroller");
    this.log = byId("log");
    this.scroller.addEventListener("scroll", () => this.#scrolled());
    // Pictures get their height only when they are loaded, and the room changes with what is below.
    const observer = new ResizeObserver(() => this.#follow());
    observer.observe(this.log);
    observer.observe(this.scroller);
  }

  draw(conversation, { selectedTurn }) {
    const count = this.log.childElementCount;
    this.#drawBubbles(conversation, selectedTurn);
    this.#drawEmpty(conversation);
    this.#drawTyping(conversation);
    this.#drawNotice(conversation);
    const ownNew = conversation.drafts.length > 0 && this.log.childElementCount > count;
    this.#following ||= ownNew;
    this.#follow();
  }

  /** Forget what is drawn, because another conversation or language comes. */
  clear() {
    this.#bubbles.clear();
    this.log.replaceChildren();
    this.#following = true;
  }

  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    if (scrollHeight - scrollTop - clientHeight < NEAR_END_PX) this.#following = true;
    // Only the reader scrolls up; a picture that loads also leaves the end far away.
    else if (scrollTop < this.#scrollTop) this.#following = false;
    this.#scrollTop = scrollTop;
  }

  #follow() {
    if (this.#following) this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  #drawBubbles(conversation, selectedTurn) {
    const wanted = [
      ...conversation.messages.map((message) => this.#describeMessage(conversation, message, selectedTurn)),
      ...conversation.drafts.map((draft) => this.#describeDraft(draft)),
    ];
    const keys = new Set(wanted.map((bubble) => bubble.key));
    for (const [key, { node }] of this.#bubbles) {
      if (keys.has(key)) continue;
      node.remove();
      this.#bubbles.delete(key);
    }
    for (const [at, bubble] of wanted.entries()) this.#place(bubble, at);
  }

  /** Put a bubble at its place; one that has not changed is left alone, so that it is not read aloud again. */
  #place(bubble, at) {
    const { key, selected, ...content } = bubble;
    const signature = JSON.stringify({ ...content, turn: content.turn?.turn_id, draft: undefined });
    const known = this.#bubbles.get(key);
    const node = known?.signature === signature ? known.node : this.#make(content);
    if (known && known.node !== node) known.node.replaceWith(node);
    if (this.log.children[at] !== node) this.log.insertBefore(node, this.log.children[at] ?? null);
    node.querySelector(".how")?.setAttribute("aria-pressed", String(selected));
    this.#bubbles.set(key, { node, signature });
  }

  #describeMessage(conversation, message, selectedTurn) {
    const turn = conversation.turnOfReply(message) ?? null;
    const pictures = conversation.picturesOf(message);
    const own = isCustomers(message);
    return {
      key: conversation.keyOf(message),
      side: own ? "customer" : message.sender?.type === "user" ? "person" : "bot",
      author: own ? t("you") : message.sender?.type === "user" ? (message.sender.name ?? "") : t("bot"),
      text: message.content ?? "",
      pictures,
      files: (message.attachments ?? []).slice(pictures.length).map(fileName),
      time: hour(message.created_at),
      turn,
      selected: turn !== null && turn.turn_id === selectedTurn?.turn_id,
    };
  }

  #describeDraft(draft) {
    const names = draft.files.slice(draft.pictures.length).map((file) => file.name);
    const { key, text, pictures, failed = false, detail = "" } = draft;
    return { key, side: "customer", author: t("you"), text, pictures, files: names, draft, failed, detail };
  }

  #make(content) {
    const { side, author, text, pictures, files } = content;
    const label = side === "person" ? `${author} · ${t("person")}` : author;
    return el(
      "li",
      { className: `message ${side}` },
      el("p", { className: side === "person" ? "author" : "author sr-only" }, label),
      el(
        "div",
        { className: "bubble" },
        ...pictures.map((url) => el("img", { className: "picture", src: url, alt: t("photo") })),
        ...files.map((name) => el("p", { className: "file" }, icon("file"), name)),
        text ? el("div", { className: "text" }, ...render(text)) : null,
      ),
      this.#foot(content),
    );
  }

  #foot({ draft, failed, detail, time, turn }) {
    if (draft && !failed) return el("p", { className: "foot" }, t("sending"));
    if (draft) {
      const retry = el("button", { type: "button", className: "link", on: { click: () => this.onRetry(draft) } });
      retry.textContent = t("retry");
      const why = detail ? t("refused", { detail }) : t("not_sent");
      return el("p", { className: "foot failed", role: "alert" }, why, " ", retry);
    }
    return el("p", { className: "foot" }, el("time", {}, time), turn ? this.#how(turn) : null);
  }

  #how(turn) {
    const total = duration(totalMs(turn));
    return el(
      "button",
      {
        type: "button",
        className: "how",
        aria: { label: t("see_how_long", { total }) },
        on: { click: () => this.onTurn(turn) },
      },
      icon("steps"),
      `${total} · ${t("see_how")}`,
    );
  }

  #drawEmpty(conversation) {
    const { shop, channel, customer, begun } = conversation;
    byId("empty").hidden = begun;
    byId("panel-chat").classList.toggle("begun", begun);
    byId("empty-title").textContent = t("empty_title", { shop: shop.name });
    byId("empty-text").textContent = t("empty_text", { name: customer.name, channel: t(channel) });
  }

  #drawTyping(conversation) {
    const typing = byId("typing");
    typing.hidden = !conversation.waiting;
    const text = conversation.waitingLong ? t("slow") : t("typing", { shop: conversation.shop.name });
    const label = byId("typing-text");
    // A live region speaks whenever its text is set, even to the same words.
    if (label.textContent !== text) label.textContent = text;
    label.classList.toggle("sr-only", !conversation.waitingLong);
  }

  #drawNotice(conversation) {
    const failed = !conversation.waiting && conversation.latestTurn?.outcome === "failed";
    const key = conversation.withPerson ? "with_a_person" : failed ? "not_answered" : undefined;
    const notice = byId("notice");
    notice.hidden = key === undefined;
    const text = key ? t(key) : "";
    if (notice.textContent !== text) notice.textContent = text;
  }
}

function fileName(attachment) {
  const path = (attachment.data_url ?? "").split("?")[0];
  const name = path.slice(path.lastIndexOf("/") + 1);
  try {
    return decodeURIComponent(name) || t("file");
  } catch {
    return t("file");
  }
}
