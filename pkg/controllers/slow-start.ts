/**
 * Runs `count` tasks in batches of 1, 2, 4, ... so that a failure that would hit all of them hits few. After a batch with
 * failures no further batch is started. Returns the number of successes and the first failure.
 */
export async function slowStart(
  count: number,
  task: (index: number) => Promise<void>,
): Promise<{ readonly successes: number; readonly error?: unknown }> {
  let successes = 0;
  let begun = 0;
  for (let batch = Math.min(1, count); batch > 0; batch = Math.min(batch * 2, count - begun)) {
    const results = await Promise.allSettled(Array.from({ length: batch }, (_, i) => task(begun + i)));
    begun += batch;
    const failures = results.filter((result) => result.status === 'rejected');
    successes += batch - failures.length;
    if (failures[0] !== undefined) return { successes, error: failures[0].reason };
  }
  return { successes };
}
