/** Writing: the text, the photos to go with it, and the samples to start from. */

import { byId, el, icon } from "./dom.js";
import { questions } from "./samples.js";
import { t } from "./texts.js";

const MAX_FILES = 4;
const MAX_FILE_MB = 10;
const TALLEST_PX = 160;

/** `onSend(text, files)` gets a message and tells whether it may go; `onSamplePhoto(blurred)` brings a photo to stage. */
export class Composer {
  #files = [];
  #preparing = 0;

  constructor({ onSend, onSamplePhoto }) {
    Object.assign(this, { onSend, onSamplePhoto });
    this.form = byId("composer");
    this.text = byId("composer-text");
    this.picker = byId("composer-files");
    this.form.addEventListener("submit", (event) => this.#submit(event));
    this.text.addEventListener("keydown", (event) => this.#key(event));
    this.text.addEventListener("input", () => this.#changed());
    this.text.addEventListener("paste", (event) => this.#take(event, event.clipboardData));
    byId("attach").addEventListener("click", () => this.picker.click());
    this.picker.addEventListener("change", () => this.#picked());
    this.#acceptDrops(byId("panel-chat"));
    this.#changed();
  }

  /** Offer what to try in a shop. */
  drawSamples(shop) {
    const texts = questions(shop).map((question) =>
      sample(question, null, () => {
        this.onSend(question, []);
      }),
    );
    const photos = [
      sample(t("sample_photo"), "photo", () => this.onSamplePhoto(false)),
      sample(t("sample_blurred"), "blur", () => this.onSamplePhoto(true)),
    ];
    byId("samples").replaceChildren(texts[0], ...(shop.invoices.some((invoice) => invoice.in_odoo) ? photos : []), ...texts.slice(1));
  }

  /** Put a photo that `fetching` will bring beside the text, with words if there are none yet. */
  async stage(fetching, words) {
    this.#preparing += 1;
    this.#drawFiles();
    try {
      const file = await fetching;
      if (!this.text.value.trim()) this.text.value = words;
      this.#preparing -= 1;
      this.#add([file]);
      this.text.focus();
    } catch {
      this.#preparing -= 1;
      this.#drawFiles();
      this.#complain(t("no_photo"));
    }
  }

  clear() {
    this.text.value = "";
    this.#files = [];
    this.#complain("");
    this.#drawFiles();
    this.#changed();
  }

  #submit(event) {
    event.preventDefault();
    const text = this.text.value.trim();
    const files = this.#files;
    if (this.#preparing || (!text && files.length === 0)) return;
    // What the visitor is not allowed to send stays where it is.
    if (this.onSend(text, files)) this.clear();
    this.text.focus();
  }

  #key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.form.requestSubmit();
  }

  #changed() {
    this.text.style.height = "auto";
    this.text.style.height = `${Math.min(this.text.scrollHeight, TALLEST_PX)}px`;
    const ready = this.#preparing === 0 && (this.text.value.trim() !== "" || this.#files.length > 0);
    byId("send").setAttribute("aria-disabled", String(!ready));
  }

  #picked() {
    this.#add([...this.picker.files]);
    // Otherwise choosing the same file again would be no change.
    this.picker.value = "";
    this.text.focus();
  }

  #acceptDrops(target) {
    target.addEventListener("dragover", (event) => {
      if (!event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      target.classList.add("dropping");
    });
    target.addEventListener("dragleave", (event) => {
      if (!target.contains(event.relatedTarget)) target.classList.remove("dropping");
    });
    target.addEventListener("drop", (event) => {
      target.classList.remove("dropping");
      this.#take(event, event.dataTransfer);
    });
  }

  #take(event, transfer) {
    const files = [...(transfer?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    this.#add(files);
  }

  #add(files) {
    const tooLarge = files.find((file) => file.size > MAX_FILE_MB * 1024 * 1024);
    const fitting = files.filter((file) => file.size <= MAX_FILE_MB * 1024 * 1024);
    const together = [...this.#files, ...fitting];
    this.#files = together.slice(0, MAX_FILES);
    if (tooLarge) this.#complain(t("file_too_large", { name: tooLarge.name, limit: MAX_FILE_MB }));
    else this.#complain(together.length > MAX_FILES ? t("too_many_files", { count: MAX_FILES }) : "");
    this.#drawFiles();
    this.#changed();
  }

  #remove(file) {
    this.#files = this.#files.filter((other) => other !== file);
    this.#drawFiles();
    this.#changed();
    this.text.focus();
  }

  #drawFiles() {
    const list = byId("staged");
    for (const picture of list.querySelectorAll("img")) URL.revokeObjectURL(picture.src);
    const preparing = this.#preparing ? [el("li", { className: "preparing" }, t("drawing_photo"))] : [];
    list.replaceChildren(...this.#files.map((file) => this.#staged(file)), ...preparing);
    list.hidden = list.childElementCount === 0;
  }

  #staged(file) {
    const shown = file.type.startsWith("image/")
      ? el("img", { src: URL.createObjectURL(file), alt: file.name })
      : el("span", { className: "file" }, icon("file"), file.name);
    const label = t("remove_file", { name: file.name });
    const remove = el(
      "button",
      { type: "button", className: "remove", title: label, aria: { label }, on: { click: () => this.#remove(file) } },
      icon("close"),
    );
    return el("li", {}, shown, remove);
  }

  #complain(text) {
    const line = byId("composer-problem");
    line.textContent = text;
    line.hidden = text === "";
  }
}

function sample(label, drawing, onClick) {
  return el(
    "li",
    {},
    el(
      "button",
      { type: "button", className: "sample", on: { click: onClick } },
      drawing ? icon(drawing) : null,
      label,
    ),
  );
}
