pub(super) mod unchanged;
