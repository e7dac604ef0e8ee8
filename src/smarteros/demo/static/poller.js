/** Asking again and again: at a pace that may change, not while the tab is hidden, patiently when the server is away. */

const SLOWEST_MS = 8000;

export class Poller {
  #timer = null;
  #running = false;
  #busy = false;
  #again = false;
  #failures = 0;

  /** `task` is awaited; `pace` returns the milliseconds until the next one; `onHealth(up)` is told after each. */
  constructor(task, pace, onHealth) {
    this.task = task;
    this.pace = pace;
    this.onHealth = onHealth;
    document.addEventListener("visibilitychange", () => this.#visibilityChanged());
  }

  start() {
    this.#running = true;
    this.now();
  }

  stop() {
    this.#running = false;
    clearTimeout(this.#timer);
  }

  /** Ask at once, or again right after the request that is under way. */
  now() {
    clearTimeout(this.#timer);
    if (this.#busy) this.#again = true;
    else if (this.#running && !document.hidden) this.#ask();
  }

  async #ask() {
    this.#busy = true;
    try {
      await this.task();
      this.#failures = 0;
      this.onHealth(true);
    } catch {
      this.#failures += 1;
      this.onHealth(false);
    }
    this.#busy = false;
    if (!this.#running || document.hidden) return;
    const wait = this.#again ? 0 : this.#wait();
    this.#again = false;
    this.#timer = setTimeout(() => this.now(), wait);
  }

  #wait() {
    return this.#failures ? Math.min(1000 * 2 ** (this.#failures - 1), SLOWEST_MS) : this.pace();
  }

  #visibilityChanged() {
    if (document.hidden) clearTimeout(this.#timer);
    else this.now();
  }
}
