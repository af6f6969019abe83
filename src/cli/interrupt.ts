/** The exit code of a process that Ctrl-C ended: 128 + SIGINT. */
const INTERRUPTED = 130;

/**
 * Runs work that leaves files behind while it goes on: Ctrl-C ends the process by way of its exit handlers, which remove them.
 * @param message what is true then; said on the error output
 */
export async function withInterrupt<T>(message: string, work: () => Promise<T>): Promise<T> {
  const onSignal = (): void => {
    console.error(`\n${message}`);
    process.exit(INTERRUPTED);
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  try {
    return await work();
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}
