/** Lets changes be made one after another: two of one workspace at once would refuse each other. */
export function createTurns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const own = last.then(work);
    last = own.catch(() => undefined); // its caller gets the error
    return own;
  };
}
