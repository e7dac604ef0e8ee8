/** What the page remembers between visits, in localStorage: the choice of shop, and where each conversation is. */

const KEY = "smos.demo";
const MAX_PICTURES = 8;

let memory = read();

function read() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return kept !== null && typeof kept === "object" && !Array.isArray(kept) ? kept : {};
  } catch {
    return {};
  }
}

function write() {
  try {
    localStorage.setItem(KEY, JSON.stringify(memory));
  } catch {
    // Full or forbidden: the page works, it only will not remember.
  }
}

export function recall(name, otherwise) {
  return memory[name] ?? otherwise;
}

export function remember(name, value) {
  memory = { ...memory, [name]: value };
  write();
}

/** The conversation last held with a shop over a channel, or null. */
export function recallConversation(tenantId, channel) {
  return memory.conversations?.[`${tenantId}/${channel}`] ?? null;
}

export function rememberConversation(tenantId, channel, conversation) {
  remember("conversations", { ...memory.conversations, [`${tenantId}/${channel}`]: conversation });
}

export function forgetConversation(tenantId, channel) {
  const { [`${tenantId}/${channel}`]: _forgotten, ...others } = memory.conversations ?? {};
  remember("conversations", others);
}

/** Add a small picture of what was sent to a conversation's memory, which holds the newest few. */
export function withPictures(pictures, messageId, urls) {
  const entries = Object.entries({ ...pictures, [messageId]: urls });
  return Object.fromEntries(entries.slice(-MAX_PICTURES));
}
