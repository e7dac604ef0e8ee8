/** Numbers and instants as people read them. */

import { language } from "./texts.js";

const locale = () => (language() === "en" ? "en-GB" : "es-CL");

/** 0.42 → "0,4 ms", 84.3 → "84 ms", 1530 → "1,53 s". */
export function duration(milliseconds) {
  if (milliseconds >= 1000) return `${number(milliseconds / 1000, 2)} s`;
  return `${number(milliseconds, milliseconds < 10 ? 1 : 0)} ms`;
}

export function percent(share) {
  return `${number(share * 100, 1)} %`;
}

/** The hour of an instant given as epoch seconds or ISO text. */
export function hour(instant) {
  const date = new Date(typeof instant === "number" ? instant * 1000 : instant);
  return date.toLocaleTimeString(locale(), { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}

/** A calendar day given as "2025-10-15"; it has no time zone and must not get one. */
export function day(text) {
  const [year, month, date] = text.split("-");
  return `${date}-${month}-${year}`;
}

function number(value, decimals) {
  return value.toLocaleString(locale(), { maximumFractionDigits: decimals, minimumFractionDigits: 0 });
}
