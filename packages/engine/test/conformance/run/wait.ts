/** Waiting for what must come, and for what must not. */

/** Milliseconds, and turns of the event loop, long enough for any machine; what has not come then never will. */
const PATIENCE = 10_000;
const PATIENT_TURNS = 500;
/** So many turns go by at once: what takes longer is not for us to hurry, and others want the core. */
const SWIFT_TURNS = 50;
/** Turns of the event loop in which a chunk in memory has been read, worked on and answered. */
const QUIET_TURNS = 4;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

/** Until the condition holds. It gives up silently: the comparison that follows says what is missing. */
export async function settled(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  for (let turns = 0; !condition(); turns++) {
    if (turns > PATIENT_TURNS && performance.now() > deadline) return;
    await (turns < SWIFT_TURNS ? turn() : pause());
  }
}

/** What is on its way in memory has arrived, and its answer has come back. */
export async function quietness(): Promise<void> {
  for (let turns = 0; turns < QUIET_TURNS; turns++) await turn();
}
