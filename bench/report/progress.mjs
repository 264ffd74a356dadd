// Where the benchmark is. Nothing is drawn while a run is on: it would take time from what is measured.

const terminal = process.stdout.isTTY === true;

export class Progress {
  #total;
  #rounds;
  #done = 0;
  #start = performance.now();

  /** @param {number} total scenarios @param {number} rounds of each */
  constructor(total, rounds) {
    this.#total = total;
    this.#rounds = rounds;
  }

  /** A run begins. */
  begin(name, round, peer) {
    if (!terminal) return;
    const minutes = Math.floor((performance.now() - this.#start) / 60_000);
    const where = `${this.#done + 1} of ${this.#total}, ${minutes} min`;
    process.stdout.write(
      `\r\x1b[K… ${name}  round ${round} of ${this.#rounds}  ${peer}  (${where})`,
    );
  }

  /** A scenario is over: its lines of the table. */
  end(lines) {
    this.#done++;
    if (terminal) process.stdout.write('\r\x1b[K');
    console.log(lines.join('\n'));
  }
}
