/** TG9xxx: the edge server cannot do what it was told. */
export const RUNTIME = {};
