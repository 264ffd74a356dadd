// What a person sees while the scripts work: one line a step, with its time, and the output of a
// step that failed.

/** A step that failed; `message` is what the reader should see. */
export class StepError extends Error {}

const terminal = process.stdout.isTTY === true;

/**
 * Runs one step and prints its line. `work` may return a note, which is shown behind the name.
 * With `streams`, the step's own output is on the terminal, between a first and a last line.
 *
 * @throws whatever `work` throws, after the line that says so
 */
export async function step(name, work, { streams = false } = {}) {
  const start = performance.now();
  const seconds = () => `${((performance.now() - start) / 1000).toFixed(1)} s`;
  const announce = () => console.log(`… ${name}`);
  const draw = () => process.stdout.write(`\r\x1b[K… ${name}  ${seconds()}`);
  let redraw = false;
  let timer;
  if (streams) {
    announce();
  } else if (terminal) {
    redraw = true;
    draw();
    timer = setInterval(draw, 200);
  } else {
    // In a log, a step that is over at once needs no line to announce it.
    timer = setTimeout(announce, 1000);
  }
  const end = (mark, note) => {
    clearTimeout(timer);
    if (redraw) process.stdout.write('\r\x1b[K');
    console.log(`${mark} ${name}${note ? `: ${note}` : ''}  ${seconds()}`);
  };
  try {
    const note = await work();
    end('✓', note);
  } catch (error) {
    end('✗');
    throw error;
  }
}

/** Throws a StepError with the program's output when its exit code is not 0. */
export function mustPass({ code, output }, what) {
  if (code !== 0) throw new StepError(`${what} ended with code ${code}\n${output.trim()}`);
}

/** Counts checks: each is one pass or one failure, and a failure does not stop the next check. */
export class Tally {
  passed = 0;
  failed = 0;
  failures = [];
  skipped = [];

  async check(name, work) {
    try {
      await step(name, work);
      this.passed++;
    } catch (error) {
      this.fail(name, error);
    }
  }

  fail(name, error) {
    this.failed++;
    this.failures.push(name);
    const text = error instanceof StepError ? error.message : (error.stack ?? String(error));
    console.log(text.replace(/^/gm, '    '));
  }

  /** Prints the end of the report; its last line is always `N passed, N failed`. */
  summary() {
    for (const name of this.skipped) console.log(`skipped: ${name}`);
    for (const name of this.failures) console.log(`failed: ${name}`);
    console.log(`${this.passed} passed, ${this.failed} failed`);
  }
}
