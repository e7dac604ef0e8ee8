/** The little Markdown that replies use: **bold**, links and line breaks (kept by `white-space: pre-wrap`). */

import { el } from "./dom.js";

const BOLD = /\*\*(?=\S)([^\n]+?)(?<=\S)\*\*/;
const LINK = /\[([^\]\n]{1,200})\]\((https?:\/\/[^\s()]+)\)|https?:\/\/[^\s<>"'`]+/;
// A sentence's own punctuation after an address is not part of it.
const TRAILING = /[.,;:!?)\]}»…*]+$/;

/** Return nodes for `text`; whatever it contains, only <strong> and <a> come out. */
export function render(text) {
  return split(text, BOLD, (match) => [el("strong", {}, ...links(match[1]))], links);
}

function links(text) {
  return split(text, LINK, toLink, (plain) => [document.createTextNode(plain)]);
}

function toLink([whole, label, target]) {
  const address = target ?? whole.replace(TRAILING, "");
  const rest = target ? "" : whole.slice(address.length);
  const link = el("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, label ?? address);
  return rest ? [link, document.createTextNode(rest)] : [link];
}

/** Apply `onMatch` to every match of `pattern` and `between` to the text around them. */
function split(text, pattern, onMatch, between) {
  const nodes = [];
  let rest = text;
  for (let match = pattern.exec(rest); match; match = pattern.exec(rest)) {
    if (match.index > 0) nodes.push(...between(rest.slice(0, match.index)));
    nodes.push(...onMatch(match));
    rest = rest.slice(match.index + match[0].length);
  }
  if (rest) nodes.push(...between(rest));
  return nodes;
}
