// Where the tests are: a line for each that is over, and one that is drawn while a long one runs.

const terminal = process.stdout.isTTY === true;

export class Progress {
  #subject;
  #total;
  #done = 0;

  constructor(subject, total) {
    this.#subject = subject;
    this.#total = total;
    console.log(`\n${subject.label}`);
  }

  begin({ id, title }) {
    this.#draw(`… ${id} ${title}`);
  }

  /** What a long test says of itself. */
  tell(text) {
    if (terminal) this.#draw(`… ${text}`);
    else console.log(`    ${text}`);
  }

  end({ id, title }, { skipped, passed, figure, seconds = 0 }) {
    this.#done++;
    if (terminal) process.stdout.write('\r\x1b[K');
    const mark = skipped !== undefined ? '-' : passed ? '✓' : '✗';
    const time = seconds >= 0.1 ? `  ${seconds.toFixed(1)} s` : '';
    console.log(`${mark} ${id} ${title}: ${skipped ?? figure}${time}`);
  }

  #draw(text) {
    if (!terminal) return;
    process.stdout.write(
      `\r\x1b[K${text}  (${this.#subject.label}, ${this.#done} of ${this.#total})`,
    );
  }
}
