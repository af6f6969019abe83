/** A span of time that can be cut short. */
export interface Hold {
  over: Promise<void>;
  end(): void;
}

export function createHold(ms: number): Hold {
  let finish: () => void = () => undefined;
  const over = new Promise<void>((resolve) => (finish = resolve));
  const timer = setTimeout(finish, ms);
  return {
    over,
    end() {
      clearTimeout(timer);
      finish();
    },
  };
}
