// What a client makes of refusals: those it runs into, and those the stand-in is told to make.

const told = (error) => error.code ?? error.status ?? `${error}`;

/** Returns how a client told of a refusal, or 'accepted'. */
export const refused = async (promise, tell = told) => {
  try { await promise; return 'accepted'; } catch (error) { return tell(error); }
};

/** Returns for each status how a client told of it when `ask` was answered so, once. */
export const injected = async (control, service, statuses, ask, tell = told) => {
  const seen = {};
  for (const status of statuses) {
    const rule = { id: 'one', service, status, vendor: true, count: 1 };
    await fetch(`${control}/_sandbox/faults`, { method: 'POST', body: JSON.stringify(rule) });
    seen[status] = await refused(ask(), tell);
  }
  return seen;
};
