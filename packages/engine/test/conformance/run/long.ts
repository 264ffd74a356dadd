/** Whether there is time for everything (`UPWIRE_LONG=1`), or CI waits. */
export const LONG = !['', '0', undefined].includes(process.env.UPWIRE_LONG);

/** Milliseconds that one test with everything may take. */
export const LONG_TIMEOUT = 15 * 60_000;
