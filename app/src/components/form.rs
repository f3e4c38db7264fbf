//! Forms that work before WASM.
