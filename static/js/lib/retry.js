/** A server that is busy answers 503 and says when to come back: the question is asked again by itself. */

import { tellMeanwhile } from "./busy.js";
import { orAborted, wait } from "./abortable.js";

const MOST_TRIES = 5;

/**
 * @template {{status: number, retryAfter: number}} Answer `retryAfter` in seconds, 0 if the server did not say.
 * @param {() => Promise<Answer>} attempt
 * @param {AbortSignal} [signal]
 * @returns {Promise<Answer>} the first answer that is not a 503, or the last one.
 */
export async function untilServed(attempt, signal) {
  for (let tries = 1; ; tries += 1) {
    const answer = await attempt();
    if (answer.status !== 503 || !answer.retryAfter || tries === MOST_TRIES) {
      return answer;
    }
    const sentence = `The server is busy; trying again in ${answer.retryAfter} s …`;
    const pause = wait(1000 * answer.retryAfter);
    await tellMeanwhile(sentence, signal ? orAborted(pause, signal) : pause);
  }
}
