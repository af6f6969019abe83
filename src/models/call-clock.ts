/** The time limits of one call, ms. */
export interface CallLimits {
  /** Longest time in which nothing arrives, the wait for the first byte included. Node ends a silent connection after 300 s. */
  idleMs: number;
  /** Longest time until the reply is whole. */
  totalMs: number;
}

/** One call's time limits and its caller's signal, as one signal. */
export interface CallClock {
  /** Fires when the caller or a limit ends the call. */
  signal: AbortSignal;
  /** The limit that ended the call; null while none did. */
  readonly reached: keyof CallLimits | null;
  /** Something arrived: the idle time begins anew. */
  touch(): void;
  /** From now on the call may be silent for so long only. */
  lingerFor(ms: number): void;
  /** Call it once when the call is over: a timer would keep the process alive. */
  stop(): void;
}

export function startCallClock(caller: AbortSignal, { idleMs, totalMs }: CallLimits): CallClock {
  const controller = new AbortController();
  let reached: keyof CallLimits | null = null;
  const end = (limit: keyof CallLimits): void => {
    if (!controller.signal.aborted) reached = limit;
    controller.abort();
  };
  const follow = (): void => controller.abort();
  const total = setTimeout(end, totalMs, 'totalMs');
  let idle = setTimeout(end, idleMs, 'idleMs');
  if (caller.aborted) follow();
  else caller.addEventListener('abort', follow, { once: true });
  return {
    signal: controller.signal,
    get reached() {
      return reached;
    },
    touch: () => idle.refresh(),
    lingerFor(ms) {
      clearTimeout(idle);
      idle = setTimeout(end, ms, 'idleMs');
    },
    stop() {
      clearTimeout(total);
      clearTimeout(idle);
      caller.removeEventListener('abort', follow);
    },
  };
}
