/* Go's runtime loads ProcessPrng from bcryptprimitives.dll when a program starts.
 * Wine 8 lacks that library; this one provides the function with advapi32's random
 * bytes. */
#include <windows.h>

/* RtlGenRandom; advapi32 exports it under this name. */
BOOLEAN WINAPI SystemFunction036(void *buffer, ULONG size_bytes);

__declspec(dllexport) BOOL WINAPI ProcessPrng(BYTE *buffer, SIZE_T size_bytes)
{
	const SIZE_T most = 1 << 30;
	while (size_bytes > 0) {
		ULONG n = (ULONG)(size_bytes < most ? size_bytes : most);
		if (!SystemFunction036(buffer, n))
			return FALSE;
		buffer += n;
		size_bytes -= n;
	}
	return TRUE;
}
