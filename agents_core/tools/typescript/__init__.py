"""Tools written in TypeScript: read by its own compiler, run by Node.js in the sandbox."""
