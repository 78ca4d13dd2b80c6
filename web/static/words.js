// Every word that the scripts say to a visitor.

export const states = {
  preparing: "Getting ready",
  uploading: "Uploading",
  waiting: "On its way",
  queued: "Waiting for its turn",
  running: "Coloring",
  done: "Colored",
};

export const sentences = {
  unreachable: "The page cannot be reached just now. Check your connection and try again.",
  interrupted: "The upload was interrupted. Check your connection and choose the photograph again.",
  tooLarge: "The photograph is larger than allowed.",
  refused: "The upload was refused. Reload this page and choose the photograph again.",
  undisplayable: "Your browser cannot show this kind of file.",
  notYet: "The workers are still starting. Try again in a moment.",
  unexpected: "Something unexpected happened. Reload this page and try again.",
};

export const original = (name) => `${name}, the original`;
export const colored = (name) => `${name}, in color`;
export const uploadOf = (name) => `Upload of ${name}`;
