/** "How it was solved": the six steps of a turn, what was understood, asked and answered. */

import { byId, el, icon } from "./dom.js";
import { duration, hour, percent } from "./format.js";
import { language, t } from "./texts.js";

export const STEPS = ["receive", "resolve", "decide", "call_tools", "reply", "audit"];

/** How long a turn took in all: the time of the steps, waiting between them left out. */
export function totalMs(turn) {
  return turn.steps.reduce((sum, step) => sum + step.duration_ms, 0);
}

/** The panel beside the chat. `onTurn(turn)` is told when the visitor chooses another turn. */
export class TurnView {
  #drawn = "";

  constructor({ onTurn }) {
    this.onTurn = onTurn;
  }

  /** Draw `turn`, or the empty panel without one. `question` is what the customer wrote. */
  draw({ turns, turn, question, waiting }) {
    const signature = JSON.stringify([turns, turn?.turn_id, question, waiting, language()]);
    // Drawn anew, an opened source would close and the keyboard's focus be lost.
    if (signature === this.#drawn) return;
    this.#drawn = signature;
    const focused = document.activeElement?.id;
    byId("turn-choice").hidden = turns.length < 2;
    byId("turn-list").replaceChildren(...turns.map((other, at) => this.#choice(other, at, other === turn)));
    const hint = byId("turn-hint");
    hint.hidden = Boolean(turn) && !waiting;
    hint.textContent = t(waiting ? "how_waiting" : "how_empty");
    byId("turn-question").hidden = !turn || !question;
    byId("turn-question").textContent = question ?? "";
    byId("turn-steps").classList.toggle("working", waiting);
    byId("turn-steps").replaceChildren(...steps(turn));
    byId("turn-facts").replaceChildren(...(turn ? facts(turn) : []));
    if (focused?.startsWith("turn-button-")) byId(focused)?.focus();
  }

  #choice(turn, at, chosen) {
    const number = at + 1;
    return el(
      "li",
      {},
      el(
        "button",
        {
          type: "button",
          id: `turn-button-${number}`,
          className: `turn-button ${turn.outcome}`,
          title: `${hour(turn.received_at)} · ${t(`outcome_${turn.outcome}`)}`,
          aria: { pressed: String(chosen), label: `${t("turn", { number })}, ${t(`outcome_${turn.outcome}`)}` },
          on: { click: () => this.onTurn(turn) },
        },
        String(number),
      ),
    );
  }
}

/** The steps one under the other, each bar beginning where the one before it ended. */
function steps(turn) {
  const total = turn ? totalMs(turn) : 0;
  let begun = 0;
  const rows = STEPS.map((name) => {
    const spent = turn?.steps.find((step) => step.step === name)?.duration_ms;
    const row = step(name, { spent, begun, total, known: Boolean(turn) });
    begun += spent ?? 0;
    return row;
  });
  if (turn) {
    rows.push(
      el("li", { className: "step total" }, el("span", { className: "step-name" }, t("total")), time(duration(total))),
    );
  }
  return rows;
}

function step(name, { spent, begun, total, known }) {
  const bar = el("span", { className: "bar", aria: { hidden: "true" } });
  if (spent !== undefined && total > 0) {
    const fill = el("span", { className: "fill" });
    // Never so thin that a step seems not to have happened.
    const width = Math.max((spent / total) * 100, 1.5);
    fill.style.left = `${Math.min((begun / total) * 100, 100 - width)}%`;
    fill.style.width = `${width}%`;
    bar.append(fill);
  }
  return el(
    "li",
    { className: "step", data: { step: name } },
    el("code", { className: "step-name" }, name),
    bar,
    measure(spent, known),
    el("span", { className: "gloss" }, t(`step_${name}`)),
  );
}

function measure(spent, known) {
  if (spent !== undefined) return time(duration(spent));
  if (!known) return time("");
  return el("span", { className: "step-time done" }, icon("check"), el("span", { className: "sr-only" }, t("done")));
}

function time(text) {
  return el("span", { className: "step-time" }, text);
}

/** Everything else worth knowing, as terms and their values. */
function facts(turn) {
  const { decision, reading } = turn;
  return [
    fact("outcome", el("span", { className: `badge ${turn.outcome}` }, t(`outcome_${turn.outcome}`))),
    turn.reason ? fact("reason", code(turn.reason)) : null,
    fact("flow", code(turn.flow_id)),
    decision ? fact("intent", code(decision.intent)) : null,
    decision ? fact("confidence", confidence(decision.confidence)) : null,
    decision ? fact("route", code(decision.route)) : null,
    turn.rule ? fact("rule", code(turn.rule)) : null,
    decision ? fact("tools", ...tools(turn.tool_results)) : null,
    group("entities", chips(decision?.entities ?? {})),
    group("reading", reading?.invoice_detected ? readings(reading) : []),
    group("citations", (decision?.rag_context ?? []).map(citation)),
  ].filter((entry) => entry !== null);
}

function fact(term, ...values) {
  return el("div", { className: "fact" }, el("dt", {}, t(term)), el("dd", {}, ...values));
}

function group(term, values) {
  if (values.length === 0) return null;
  return el("div", { className: "fact wide" }, el("dt", {}, t(term)), el("dd", { className: "chips" }, ...values));
}

function code(text) {
  return text ? el("code", {}, text) : null;
}

function confidence(share) {
  const meter = el("span", { className: "meter", aria: { hidden: "true" } }, el("span", { className: "fill" }));
  meter.firstChild.style.width = `${share * 100}%`;
  return el("span", { className: "confidence" }, meter, percent(share));
}

function tools(results) {
  if (results.length === 0) return [el("span", { className: "quiet" }, t("no_tools"))];
  return results.map((result) =>
    el(
      "span",
      { className: "tool" },
      code(result.tool),
      el("span", { className: `badge tool-${result.outcome}` }, result.error_code ?? result.outcome),
      el("span", { className: "quiet" }, duration(result.duration_ms)),
    ),
  );
}

function readings({ confidence: share, fields }) {
  return [...chips(fields), el("span", { className: "quiet" }, percent(share))];
}

function chips(values) {
  return Object.entries(values)
    .filter(([, value]) => value !== null && typeof value !== "object")
    .map(([name, value]) =>
      el("span", { className: "chip" }, el("span", { className: "chip-name" }, name), String(value)),
    );
}

function citation({ title, document, text }) {
  return el("details", { className: "citation" }, el("summary", {}, title || document), el("p", {}, text));
}
