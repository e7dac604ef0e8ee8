/** Every request the page makes. The customer speaks to Chatwoot's public client API and to nothing else. */

const PATIENCE_MS = 35_000;
const MESSAGES_PER_PAGE = 20;
const CUSTOMER_API = "/demo/chatwoot/public/api/v1/inboxes";

/** The server gave no answer at all, or a broken one: worth another try. */
export class ServerAwayError extends Error {}

/** The server understood and said no. `status` and `detail` tell why. */
export class RefusedError extends Error {
  constructor(status, detail) {
    super(detail || `HTTP ${status}`);
    this.status = status;
    this.detail = detail;
  }
}

export async function listShops() {
  return (await ask("GET", "/demo/shops")).tenants;
}

/** Return `{turns, reply_ids}`: the turns, oldest first, and the marker of each one's reply by turn id. */
export async function listTurns(tenantId, conversationId) {
  const query = new URLSearchParams({ tenant_id: tenantId, conversation_id: conversationId });
  return ask("GET", `/demo/turns?${query}`);
}

/** Return the customer's `source_id`, the name he has in the paths of this API. */
export async function createContact(inbox, contact) {
  return (await ask("POST", `${CUSTOMER_API}/${segment(inbox)}/contacts`, contact)).source_id;
}

export async function createConversation(inbox, sourceId) {
  return (await ask("POST", `${contactPath(inbox, sourceId)}/conversations`, {})).id;
}

/** `place` is `{inbox, sourceId, conversationId}`. Returns the message as Chatwoot kept it. */
export async function sendMessage(place, text, files) {
  return ask("POST", messagesPath(place), files.length ? asForm(text, files) : { content: text });
}

/** The newest messages, at least all with an id above `known`; Chatwoot gives 20 at a time, the oldest first. */
export async function listMessages(place, known) {
  let page = await ask("GET", messagesPath(place));
  const messages = [...page];
  while (page.length >= MESSAGES_PER_PAGE && page[0].id > known) {
    page = await ask("GET", `${messagesPath(place)}?before=${page[0].id}`);
    messages.unshift(...page);
  }
  return messages;
}

/** A sample photo as a file to attach. */
export async function fetchPhoto(url, name) {
  const response = await answered(url, {});
  return new File([await response.blob()], name, { type: response.headers.get("content-type") ?? "image/png" });
}

function contactPath(inbox, sourceId) {
  return `${CUSTOMER_API}/${segment(inbox)}/contacts/${segment(sourceId)}`;
}

function messagesPath({ inbox, sourceId, conversationId }) {
  return `${contactPath(inbox, sourceId)}/conversations/${segment(conversationId)}/messages`;
}

function segment(value) {
  return encodeURIComponent(String(value));
}

function asForm(text, files) {
  const form = new FormData();
  if (text) form.append("content", text);
  for (const file of files) form.append("attachments[]", file, file.name);
  return form;
}

async function ask(method, url, body) {
  const options = { method, headers: { Accept: "application/json" }, cache: "no-store" };
  if (body instanceof FormData) options.body = body;
  else if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers["Content-Type"] = "application/json";
  }
  const response = await answered(url, options);
  try {
    return await response.json();
  } catch (error) {
    throw new ServerAwayError(String(error));
  }
}

async function answered(url, options) {
  let response;
  try {
    response = await fetch(url, { ...options, signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch (error) {
    throw new ServerAwayError(String(error));
  }
  if (response.ok) return response;
  if (response.status >= 500) throw new ServerAwayError(`HTTP ${response.status}`);
  throw new RefusedError(response.status, await explanation(response));
}

async function explanation(response) {
  try {
    const body = await response.json();
    return body.error ?? body.message ?? "";
  } catch {
    return "";
  }
}
