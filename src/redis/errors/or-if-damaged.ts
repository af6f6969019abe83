/** The reply of a command; `instead` where another program stored another type under the key: `fleet status` names it. */
export async function orIfDamaged<T>(reply: Promise<T>, instead: T): Promise<T> {
  try {
    return await reply;
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('WRONGTYPE')) return instead;
    throw error;
  }
}
