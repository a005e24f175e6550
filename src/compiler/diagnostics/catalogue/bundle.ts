/** TG5xxx: a bundle, its manifest or its owner is not what it should be. */
export const BUNDLE = {};
