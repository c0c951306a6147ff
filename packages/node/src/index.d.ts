/** The path of the program: `SPANPROOF_BINARY`, or what this package carries. */
export function binary(): string;

/** The name of a fault, or a rule of a plan: `schemas/fault-plan.schema.json` has every member. */
export type FaultRule = string | { fault: string; [member: string]: unknown };

/** Options of `spanproof check`, in camel case: `{ semconv: "1.41.1", failOn: "improvement" }`. */
export type Options = Record<string, string>;

/** A mock of Amazon Bedrock that no other test sees anything of. */
export class Bedrock {
  static start(): Promise<Bedrock>;
  readonly endpoint: string;
  /** What the clients of the AWS SDK take. */
  readonly clientConfig: {
    endpoint: string;
    region: string;
    credentials: { accessKeyId: string; secretAccessKey: string };
  };
  /** From now on strikes the requests that `rules` describe, and no others. */
  setFaults(...rules: FaultRule[]): Promise<void>;
  /** What the mock served to this test, oldest first: `schemas/ledger.schema.json`. */
  exchanges(): Promise<Record<string, any>[]>;
  /** Writes the ledger of this test, as `spanproof check --ledger` reads it. */
  writeLedger(path: string): Promise<void>;
}

/** What was found. */
export interface Report {
  /** The exit code of `spanproof check`: 0 conforms, 1 findings, 4 nothing was captured. */
  code: number;
  conforms: boolean;
  /** The rules that found something, of any level. */
  rules: string[];
  /** The report for people. */
  text: string;
  /** The report as `schemas/report.schema.json` describes it. */
  json: Record<string, any>;
}

/** Receives over OTLP, and judges against what the mock served. */
export class Telemetry {
  static receive(bedrock: Bedrock, options?: Options): Promise<Telemetry>;
  /** Where OTLP over HTTP goes, without the path of the signal. */
  readonly endpoint: string;
  /** Where OTLP over gRPC goes. */
  readonly grpcEndpoint: string;
  readonly isJudged: boolean;
  /** Ends the reception, and judges what came: flush the providers first. */
  judge(options?: Options): Promise<Report>;
  /** Ends the reception, and forgets what was received. */
  close(): Promise<void>;
}

/** What a test emitted does not conform; the message is the report for people. */
export class TelemetryError extends Error {
  readonly report: Report;
}

type Body = (given: { bedrock: Bedrock; telemetry: Telemetry }) => Promise<void> | void;

/** A test for any runner, which fails when what `body` emits does not conform. */
export function judged(body: Body): () => Promise<void>;
export function judged(options: Options, body: Body): () => Promise<void>;
