/**
 * Shuffle sharding: the queues that a flow may use. Which `handSize` of `queues` they are depends on the flow alone, so that two
 * flows rarely share all of them, and a flow that fills its own leaves others a free one.
 */
export function dealHand(flow: string, queues: number, handSize: number): number[] {
  const hand: number[] = [];
  let seed = hash(flow);
  for (let i = 0; i < Math.min(handSize, queues); i++) {
    const remaining = queues - i;
    let card = seed % remaining;
    seed = scramble(seed, i);
    // The cards that are dealt already are left out: step over those that are not greater.
    for (const dealt of [...hand].sort((a, b) => a - b)) if (dealt <= card) card++;
    hand.push(card);
  }
  return hand;
}

/** FNV-1a over UTF-16 code units, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return scramble(value, text.length);
}

/** The finalizer of MurmurHash3: every bit of the input changes about half of the bits of the result. */
function scramble(value: number, salt: number): number {
  let mixed = value ^ Math.imul(salt + 1, 0x9e3779b1);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
