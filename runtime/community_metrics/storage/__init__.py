"""LanceDB, embedded or Enterprise, behind one reader and one store."""

from __future__ import annotations

from community_metrics.storage.duplicates import DroppedRow
from community_metrics.storage.integrity import RowName, Violation
from community_metrics.storage.lancedb_store import LanceDBStore
from community_metrics.storage.merge import MergePlan
from community_metrics.storage.reader import DATABASE, LanceDBReader

__all__ = ["DATABASE", "DroppedRow", "LanceDBReader", "LanceDBStore", "MergePlan", "RowName", "Violation"]
