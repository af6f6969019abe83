/** What scripts read: 0 done, 1 failed, 2 wrong use, 3 halted. */
export const EXIT = { failed: 1, usage: 2, halted: 3 } as const;
