import { patched } from '@temporalio/workflow';

/** Of the local activity that was begun last; modules are evaluated anew for each run. */
let last: Promise<unknown> = Promise.resolve();

/**
 * Local activities one after the other. Of two at once each is resolved by itself when it ends, but a replay resolves both together:
 * votes and strands of one moment would go on differently than they did, and the run would fail every replay from then on.
 */
async function inTurn<T>(act: () => Promise<T>): Promise<T> {
  if (!patched('local-activities-in-turn')) return act();
  const before = last;
  let end = (): void => undefined;
  last = new Promise<void>((resolve) => (end = resolve));
  await before;
  try {
    return await act();
  } finally {
    end();
  }
}

type Executable = { readonly executeWithOptions: (...given: never[]) => Promise<unknown> };

/** The same proxies; only `executeWithOptions` is used of them. */
export function oneAtATime<Activities extends object>(activities: Activities): Activities {
  return new Proxy(activities, {
    get(all, name) {
      const activity = Reflect.get(all, name) as Executable;
      return { executeWithOptions: (...given: never[]) => inTurn(() => activity.executeWithOptions(...given)) };
    },
  });
}
