// One line per check on standard output, for the ledger to be compared with.

/** Runs a check of the numbered test: `run` adds to the evidence it is given, and throws when
 * something is not as it must be. */
export async function check(test, name, run) {
  const evidence = { detail: "", calls: [], attempts: [] };
  let passed = true;
  try {
    await run(evidence);
  } catch (error) {
    passed = false;
    evidence.detail = said(error);
  }
  console.log(JSON.stringify({ test, name, passed, ...evidence }));
}

export function ensure(holds, otherwise) {
  if (!holds) throw new Error(typeof otherwise === "string" ? otherwise : JSON.stringify(otherwise));
}

/** What `call` throws; it must. */
export async function failure(call) {
  let answer;
  try {
    answer = await call();
  } catch (error) {
    return error;
  }
  throw new Error(`no exception but ${JSON.stringify(answer)}`);
}

export function said(error) {
  return error === undefined ? "no error" : `${error.name}: ${error.message}`;
}
