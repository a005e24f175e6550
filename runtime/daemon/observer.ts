/** Hears of what a daemon does; the metrics are one. */
export interface Observer {
  applied(customer: string, ms: number): void;
  failed(customer: string, code: string, ms: number): void;
  removed(customer: string): void;
  /** How many things are missing of a customer, or (null) of the node itself. */
  drift(customer: string | null, missing: number): void;
  /** How many customers wait for another try. */
  waiting(customers: number): void;
}
